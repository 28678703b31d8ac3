"""Tars as WebDataset writes them: an image, and its label in a file of the same name with another ending.

Read in place, like any other tar: nothing is unpacked.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from freeze_or_tune.data.archives.base import is_hidden
from freeze_or_tune.data.archives.folders import read_file
from freeze_or_tune.data.archives.packed import (
    Packed,
    PackedArchive,
    chosen,
    common,
    named_part,
    names_by_content,
    names_by_path,
    shards_of,
)
from freeze_or_tune.data.archives.samples import image_among, label_keys, sample_of
from freeze_or_tune.data.archives.tars import TarArchive, decompressed
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError

SUFFIXES = (".tar", ".tar.gz", ".tgz")
_CLASSES = ("classes.txt", "labels.txt")


@dataclass(frozen=True)
class _Sample:
    """Names in a tar of the files of one sample."""

    tar: int
    image: str
    others: Mapping[str, str]
    """By their endings."""


class WebDatasetArchive(PackedArchive):
    """The images of samples, each under its own name if no other sample of the dataset has it."""

    def __init__(
        self,
        paths: Sequence[Path],
        said: Mapping[str, str | int | None] | None = None,
        scratch: Path | None = None,
        *,
        follow_links: bool = False,
    ) -> None:
        """List the tars; gzipped ones are decompressed into `scratch` until it is closed. UserError if one is damaged.

        `said.label` is the ending of the files with the class, or the key of it in the .json.
        """
        super().__init__(common(paths))
        self._said = {what: None if name is None else str(name) for what, name in (said or {}).items()}
        self._shards, spare = shards_of(paths, SUFFIXES, follow_links=follow_links)
        self._tars: list[TarArchive] = []
        self._samples: list[_Sample] = []
        without: list[str] = []
        repeated: list[str] = []
        try:
            for number, shard in enumerate(self._shards):
                tar = _open(shard.path, scratch)
                self._tars.append(tar)
                self.left_out += tuple(f"{shard.name}/{name}" for name in tar.left_out)
                repeated += (f"{shard.name}/{name}" for name in tar.repeated)
                without += (f"{shard.name}/{name}" for name in self._group(number, tar))
            self._places = dict(zip(self._name(), self._samples, strict=True))
        except BaseException:
            self.close()
            raise
        for names, words in (
            (spare, "Tars that are none of the parts train, val and test that others are; they are left out"),
            (without, "Files of samples with no image, or with several; they are left out"),
            (repeated, "Files whose name stands twice in a tar; the last one counts, as when it is unpacked"),
        ):
            self.findings += Finding.of("ignored", names, words)

    def names(self) -> list[str]:
        """Sorted names of all images."""
        return sorted(self._places)

    def read(self, name: str) -> bytes:
        """Bytes of an image."""
        sample = self._places[name]
        return self._tars[sample.tar].read(sample.image)

    def images(self) -> Iterator[Packed]:
        """All images, tar by tar; a class that cannot be read is None, and found."""
        source = self._source()
        told: dict[str, Mapping[str, str]] = {}
        broken = []
        for name, sample in self._places.items():
            try:
                told[name] = self._told(sample, source)
            except (ValueError, RecursionError):
                told[name] = {}
                broken.append(name)
        self.findings += Finding.of("unreadable", broken, "Images whose label cannot be read; they are left out")
        names = self._classes({values["label"] for values in told.values() if values.get("label")})
        for name, values in told.items():
            label, split = values.get("label"), values.get("split")
            part = self._shards[self._places[name].tar].part if split is None else named_part(split)
            yield Packed(name, names.get(label, label) if label else None, part, values.get("group") or "")

    def read_as(self, count: int) -> list[Finding]:
        """Where the classes were read."""
        source = self._source()["label"]
        where = f"files {source}" if source.startswith(".") else f"{source!r} of .json files"
        words = f"Images in {len(self._tars)} tars of a WebDataset, their classes from {where}"
        return [Finding(kind="read", words=words, count=count)]

    def close(self) -> None:
        """Close what is open."""
        for tar in self._tars:
            tar.close()

    def _group(self, number: int, tar: TarArchive) -> list[str]:
        """Note the samples of a tar; the files that are left over."""
        samples: dict[str, dict[str, str]] = defaultdict(dict)
        left = []
        for name in (name for name in tar.names() if not is_hidden(name)):
            key, ending = sample_of(name)
            if key and ending not in samples[key]:
                samples[key][ending] = name
            else:
                left.append(name)
        for files in samples.values():
            image = image_among(list(files))
            if image is None:
                left += files.values()
            else:
                others = {ending: name for ending, name in files.items() if ending != image}
                self._samples.append(_Sample(number, files[image], others))
        return left

    def _name(self) -> list[str]:
        if not self._samples:
            raise UserError(f"{self.path} holds no samples with one image each, as WebDataset writes them")
        samples = self._samples
        names = names_by_path(
            [sample.image for sample in samples], [self._shards[sample.tar].part for sample in samples]
        )
        if names is None:
            found = names_by_content(self._tars[sample.tar].read(sample.image) for sample in samples)
            names = [name for name in found if name]
            self.findings += Finding.of(
                "read", names, "Images of which several have one name; each is called by its content (its SHA-256)"
            )
        return names

    def _source(self) -> Mapping[str, str]:
        """Where class, split and group stand: endings of files, or keys of the .json; UserError if that is not sure."""
        endings = list(dict.fromkeys(ending for sample in self._samples for ending in sample.others))
        said = self._said.get("label")
        beside = {what: self._said[what] for what in ("split", "group") if what in self._said}
        if said in endings or (said is None and "cls" in endings):
            return {"label": f".{said or 'cls'}"} | {what: key for what, key in beside.items() if key}
        for sample in self._samples:
            if "json" in sample.others:
                try:
                    keys, told = label_keys(self._tars[sample.tar].read(sample.others["json"]))
                except (ValueError, RecursionError):
                    continue
                label = chosen(keys, said, list(told), "label", self._shards[sample.tar].path)
                source = {"split": "split", "group": "group"} | beside | {"label": label}
                return {what: key for what, key in source.items() if key}
        raise UserError(
            f"{self.path}: no label lies beside the images, neither in .cls nor in .json; beside them are "
            f"{', '.join(f'.{ending}' for ending in endings[:20]) or 'no files'}; name the ending of the labels with "
            "columns: {label: ENDING} in the study"
        )

    def _told(self, sample: _Sample, source: Mapping[str, str]) -> dict[str, str]:
        """What is said of a sample; ValueError if it cannot be read, UserError if it has several labels."""
        read = self._tars[sample.tar].read
        keys = {what: key for what, key in source.items() if not key.startswith(".")}
        ending = source["label"].removeprefix(".") if "label" not in keys else ""
        told = {"label": read(sample.others[ending]).decode().strip()} if ending in sample.others else {}
        if keys and "json" in sample.others:
            _, values = label_keys(read(sample.others["json"]))
            told |= {what: _text(values[key], sample.image, key) for what, key in keys.items() if key in values}
        return told

    def _classes(self, numbers: Collection[str]) -> Mapping[str, str]:
        """The names of numbered classes, if a list that has one for each lies beside the tars."""
        folder = self._shards[0].path.parent
        lists = [folder / name for name in _CLASSES if (folder / name).is_file()]
        names = read_file(lists[0]).decode("utf-8-sig", "replace").split("\n") if lists else []
        named = {str(number): name.strip() for number, name in enumerate(names) if name.strip()}
        return named if named.keys() >= set(numbers) else {}


def _open(path: Path, scratch: Path | None) -> TarArchive:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    return TarArchive(path, decompressed(path, scratch)) if packed else TarArchive(path, keep_open=False)


def _text(value: object, image: str, key: str) -> str:
    """A value of a .json as the name of a class."""
    if isinstance(value, list | dict):
        raise UserError(
            f"{image}: its .json holds several values under {key!r}; only images of one class each can be learnt"
        )
    if value is None or isinstance(value, float):
        raise ValueError("it names no class")
    return str(value)
