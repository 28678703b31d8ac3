"""The workflow as others get it: committed and tagged in a repository, which answers for one on GitHub."""

import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT

from freeze_or_tune import __version__

TAG = f"v{__version__}"
GITHUB = "https://github.com/"


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder, as somebody."""
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> Path:
    """Make a repository of a folder, with the tag of this version; the folder."""
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--message=All of it")
    git(folder, "tag", TAG)
    return folder


def as_github(repositories: Path, home: Path) -> dict[str, str]:
    """An environment in which GitHub's addresses are repositories of a folder, <owner>/<name>, for every git."""
    settings = home / "gitconfig"
    settings.write_text(f'[url "file://{repositories}/"]\n\tinsteadOf = {GITHUB}\n')
    kept = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
    return kept | {"GIT_CONFIG_GLOBAL": str(settings), "XDG_CACHE_HOME": str(home / "cache")}


def said(folder: Path, environment: dict[str, str], program: str, *arguments: str | Path) -> str:
    """What a program of this environment prints in a folder, where it has to succeed."""
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout
