"""Where the workflow and the studies are that come with the library."""

from pathlib import Path

from freeze_or_tune.system.errors import UserError

_INSTALLED = Path(__file__).parents[1] / "shipped"
_CLONED = Path(__file__).parents[3]


def shipped(*parts: str) -> Path:
    """A file or folder of `workflow/`, `config/` or `profiles/`: of the installed package, else of the clone.

    UserError if it is not there: the package was copied without them.
    """
    path = (_INSTALLED if _INSTALLED.is_dir() else _CLONED).joinpath(*parts)
    if not path.exists():
        raise UserError(f"{path} is missing from the installation; install freeze-or-tune again")
    return path
