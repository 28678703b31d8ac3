"""What suits a process of our own, set where one starts: a job, a command, Snakemake when it has loaded the workflow.

Importing the package sets nothing: the process may be somebody else's.
"""

import gc
import os


def prepare_process() -> None:
    """Before torch is imported and thousands of jobs are planned."""
    # Both make many objects that stay. To look for garbage whenever there are 700 new ones, Python's default, makes
    # them a tenth slower.
    gc.set_threshold(100_000, 20, 20)
    # Threads that spin while they wait take several times as long beside other work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
