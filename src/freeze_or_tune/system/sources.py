"""What Snakemake lacks where the workflow is a module from a local git repository."""

import os
from typing import Any

from snakemake.sourcecache import LocalGitFile  # type: ignore[import-untyped]


def scripts_from_local_git() -> None:
    """Let rules from `gitfile(...)` have scripts.

    Snakemake (9.27) joins a rule's folder with its script as an object where it means the path, and fails.
    """
    LocalGitFile.join = _joined_by_path(LocalGitFile.join)


def _joined_by_path(join: Any) -> Any:
    def joined(folder: LocalGitFile, path: str | os.PathLike[str]) -> LocalGitFile:
        return join(folder, os.fspath(path))

    return joined
