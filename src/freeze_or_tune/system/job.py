"""What every job of the workflow does around its one library call.

Scripts of jobs import this first (pyproject.toml sees to it), and nothing else does: it prepares the process before
torch comes into it.
"""

import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.job_logs import FAILED
from freeze_or_tune.system.machine import peak_resident_mb
from freeze_or_tune.system.process import prepare_process

prepare_process()

log = logging.getLogger(__name__)

NO_GPU_MEMORY = (
    "the GPU has no memory left; lower the study's machine.memory_mb, which caches may take (results stay the same but "
    "for their last bits), or solver.batch, or take a GPU with more memory, or one that nobody else uses"
)


@contextmanager
def logged(path: Path | str) -> Iterator[None]:
    """Log to `path`; a UserError ends the process with its message, anything else leaves its traceback in the log.

    The last line is the peak memory: Snakemake's benchmark sees nothing of jobs that end before it looks.
    """
    logging.basicConfig(
        filename=path, filemode="w", level=logging.WARNING, encoding="utf-8",
        format="%(asctime)s %(levelname)s %(message)s",
    )  # fmt: skip
    # Of others only warnings: fontTools tells of each table of each font in hundreds of lines.
    logging.getLogger("freeze_or_tune").setLevel(logging.INFO)
    logging.captureWarnings(True)
    gc.freeze()  # what is imported stays: looking through torch at the end takes half a second
    try:
        yield
    except UserError as error:
        log.error("%s", error)
        sys.exit(f"freeze-or-tune: {error}")
    except BaseException as error:
        log.exception(FAILED)
        if type(error).__name__ == "OutOfMemoryError":  # torch's, which jobs without a network do not import
            log.error(NO_GPU_MEMORY)
            sys.exit(f"freeze-or-tune: {NO_GPU_MEMORY} (all of it: {path})")
        raise
    log.info("peak memory %.0f MB", peak_resident_mb())
