"""What every job of the workflow does around its one library call."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freeze_or_tune.errors import UserError


@contextmanager
def logged(path: Path | str) -> Iterator[None]:
    """Log to `path`; a UserError ends the process with its message, anything else leaves its traceback in the log."""
    logging.basicConfig(
        filename=path, filemode="w", level=logging.INFO, encoding="utf-8",
        format="%(asctime)s %(levelname)s %(message)s",
    )  # fmt: skip
    logging.captureWarnings(True)
    try:
        yield
    except UserError as error:
        logging.error("%s", error)
        sys.exit(f"freeze-or-tune: {error}")
    except BaseException:
        logging.exception("the job failed")
        raise
