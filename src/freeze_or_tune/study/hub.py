"""Datasets of the Hugging Face Hub by name: `hf://owner/name[@revision][/subset]`, and where they lie when fetched."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

SCHEME = "hf://"
FORM = "hf://<owner>/<name>, hf://<owner>/<name>@<revision>, or with /<subset> behind it"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_ADDRESS = re.compile(
    rf"hf://(?:datasets/(?={_NAME}/))?(?P<owner>{_NAME})/(?P<name>{_NAME})"
    r"(?:@(?P<revision>refs/(?:convert|pr)/[A-Za-z0-9._-]+|[A-Za-z0-9._%-]+))?(?:/(?P<subset>[^/@]+))?/?"
)
_BETWEEN = "--"
"""What no name on the Hub holds."""


@dataclass(frozen=True)
class HubDataset:
    """A dataset of the Hub; no revision: that of `main` when it is first fetched."""

    repository: str
    revision: str = ""
    subset: str = ""

    @property
    def folder(self) -> str:
        """The name of the folder that it is fetched to; `of_folder` reads it."""
        revision = f"@{quote(self.revision, safe='')}" if self.revision else ""
        subset = f"+{quote(self.subset, safe='')}" if self.subset else ""
        return f"{self.repository.replace('/', _BETWEEN)}{revision}{subset}"

    @property
    def address(self) -> str:
        """What a person types."""
        revision = f"@{self.revision}" if self.revision else ""
        return f"{SCHEME}{self.repository}{revision}{f'/{self.subset}' if self.subset else ''}"


def parse(address: str) -> HubDataset:
    """Read an address; ValueError says how one is written."""
    match = _ADDRESS.fullmatch(address)
    if not match or any(_BETWEEN in match[part] for part in ("owner", "name")):
        raise ValueError(f"{address!r} is no dataset of the Hugging Face Hub; one is written {FORM}")
    return HubDataset(f"{match['owner']}/{match['name']}", unquote(match["revision"] or ""), match["subset"] or "")


def of_folder(folder: str) -> HubDataset:
    """The dataset that a folder is named after."""
    name, _, subset = folder.partition("+")
    name, _, revision = name.partition("@")
    return HubDataset(name.replace(_BETWEEN, "/"), unquote(revision), unquote(subset))


def is_address(path: str) -> bool:
    """Whether a path is to be fetched from the Hub."""
    return path.startswith(SCHEME)
