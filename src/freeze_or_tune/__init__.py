"""freeze-or-tune: copy how many layers of a pre-trained network, and freeze or fine-tune them?"""

import gc

__version__ = "0.1.0"

# Importing torch, and planning thousands of jobs, makes many objects that stay. Python's default, to look for garbage
# whenever there are 700 new ones, makes both a tenth slower.
gc.set_threshold(100_000, 20, 20)
