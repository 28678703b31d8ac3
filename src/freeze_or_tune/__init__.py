"""freeze-or-tune: copy how many layers of a pre-trained network, and freeze or fine-tune them?"""

__version__ = "0.1.0"
