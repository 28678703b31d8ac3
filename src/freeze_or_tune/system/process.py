"""A process of our own: where it is refused, and what suits it, a job, a command, Snakemake that loads the workflow.

Importing the package sets nothing: the process may be somebody else's.
"""

import gc
import os
import sys

from freeze_or_tune.system.errors import UserError


def refuse() -> None:
    """UserError on Windows, which has neither locks nor signals as jobs need them; its WSL is a Linux."""
    if sys.platform == "win32":
        raise UserError(
            "freeze-or-tune needs Linux or macOS; on Windows use WSL: say `wsl --install`, and install it there"
        )


def prepare_process() -> None:
    """Before torch is imported and thousands of jobs are planned."""
    # Both make many objects that stay. To look for garbage whenever there are 700 new ones, Python's default, makes
    # them a tenth slower.
    gc.set_threshold(100_000, 20, 20)
    # Threads that spin while they wait take several times as long beside other work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
