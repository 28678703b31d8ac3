"""Files that hold many images and their labels: shards, which part each is, and what their images are called."""

import hashlib
import os
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from freeze_or_tune.data.archives.base import Archive, is_hidden, safe_name
from freeze_or_tune.data.archives.folders import FolderArchive
from freeze_or_tune.data.parts import PARTS
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError

LABELS = ("label", "labels", "class", "class_name", "cls", "category", "target", "fine_label", "coarse_label")
"""What columns and keys that hold the class are called; the first is it where there are several."""

_PART = re.compile(rf"(?<![^-._ 0-9])({'|'.join(PARTS)})(?![^-._ 0-9])")
_SHOWN = 20


@dataclass(frozen=True)
class Shard:
    """One file of a dataset; `part` is train, val, test, or nothing if the dataset has no parts."""

    path: Path
    name: str
    part: str


@dataclass(frozen=True)
class Packed:
    """An image and what is said of it; `label` is None where there is no class."""

    name: str
    label: str | None
    part: str
    group: str = ""


class PackedArchive(Archive):
    """Images and their labels in the same files."""

    @abstractmethod
    def images(self) -> Iterator[Packed]:
        """All images, in the order in which they lie there."""

    @abstractmethod
    def read_as(self, count: int) -> list[Finding]:
        """What was taken for what, of so many images."""


def shards_of(paths: Sequence[Path], suffixes: tuple[str, ...], *, follow_links: bool) -> tuple[list[Shard], list[str]]:
    """The files that end so, and those that belong to no part where others do; UserError if there are none.

    A path is such a file, or a folder of them. Parts are told by names, as the Hugging Face Hub does:
    `data/train-00000-of-00002.parquet`, `test/0000.parquet`.
    """
    found, links, root = {}, 0, common(paths)
    for path in paths:
        name = path.name if path == root else path.absolute().relative_to(root).as_posix()
        if path.is_dir():
            folder = FolderArchive(path, follow_links=follow_links)
            inside = [one for one in folder.names() if one.lower().endswith(suffixes) and not is_hidden(one)]
            found.update({one if path == root else f"{name}/{one}": path / one for one in inside})
            links += len(folder.left_out)
        elif path.is_file():
            found[name] = path
        else:
            raise UserError(f"{path} does not exist")
    if not found:
        hint = f" ({links} links out of it are not followed; follow_links: true does)" if links else ""
        raise UserError(f"{paths[0]} holds no {' or '.join(suffixes)} files{hint}")
    parts = {name: named_part(name) for name in sorted(found)}
    if len(set(parts.values()) - {""}) < 2:
        return [Shard(found[name], name, "") for name in parts], []
    return [Shard(found[name], name, part) for name, part in parts.items() if part], [
        name for name, part in parts.items() if not part
    ]


def named_part(name: str) -> str:
    """The part that a file's name or the nearest of its folders' names says: train, val, test or nothing."""
    for piece in reversed(PurePosixPath(name.lower()).parts):
        words = {PARTS[word] for word in _PART.findall(piece)}
        if words:
            return words.pop() if len(words) == 1 else ""
    return ""


def names_by_path(paths: Sequence[str | None], parts: Sequence[str]) -> list[str] | None:
    """What images are called by their own names, with their parts before them if need be; None if these do not do.

    Splits are drawn by names, so that none may depend on how images are spread over shards.
    """
    own = [safe_name(path) if path else None for path in paths]
    for names in (own, [f"{part}/{name}" if part else name for part, name in zip(parts, own, strict=True)]):
        known = [name for name in names if name]
        if len(set(known)) == len(paths):
            return known
    return None


def names_by_content(images: Iterable[bytes | None]) -> list[str | None]:
    """What images are called by what is in them, whose own names are missing or repeated; None where there is none."""
    seen: Counter[str] = Counter()
    names: list[str | None] = []
    for data in images:
        if data is None:
            names.append(None)
            continue
        digest = hashlib.sha256(data).hexdigest()[:16]
        seen[digest] += 1
        names.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return names


def chosen(candidates: Sequence[str], said: str | None, there: Sequence[str], what: str, where: Path) -> str:
    """The column or key of `what`: the one that a person has said, the only candidate, or that of the usual name.

    UserError shows what is there if it is none of these.
    """
    shown = ", ".join(map(repr, there[:_SHOWN])) + (f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
    if said is not None:
        if said in there:
            return said
        raise UserError(f"{where} has no {said!r}, which columns.{what} names; it has {shown}")
    if len(candidates) == 1 or "label" in candidates[:_SHOWN]:
        return "label" if "label" in candidates else candidates[0]
    several = f"several that may be the {what} ({', '.join(map(repr, candidates[:_SHOWN]))})"
    raise UserError(
        f"{where} has {several if candidates else f'nothing that is called or typed like the {what}'}; say which with "
        f"images: {{path: {where}, columns: {{{what}: NAME}}}} in the study; it has {shown}"
    )


def common(paths: Sequence[Path]) -> Path:
    """The path, or the folder that several share, for messages."""
    return paths[0] if len(paths) == 1 else Path(os.path.commonpath([path.parent.absolute() for path in paths]))
