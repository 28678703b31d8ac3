"""A look at one's own images before anything is learnt from them: what is wrong, in words, and what is left."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median_low
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from freeze_or_tune.data.index import read_index
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.own.joining import joined
from freeze_or_tune.data.own.likeness import Likeness, Looks, look, near
from freeze_or_tune.data.own.parting import parted
from freeze_or_tune.data.own.shares import FEWEST, given_parts
from freeze_or_tune.data.splits import Row, write_split
from freeze_or_tune.data.store import Store, read_rejected, read_stored
from freeze_or_tune.records.advice import Check
from freeze_or_tune.records.findings import Finding, Findings, Kind
from freeze_or_tune.study.settings import Advising
from freeze_or_tune.system.errors import UserError

log = logging.getLogger(__name__)

Describe: TypeAlias = Callable[[Store, Sequence[str]], NDArray[np.float32]]
"""Features [N, D] of so many images of a store, by their names."""

_UNEQUAL = 5
"""From this ratio of the largest class to the smallest on, accuracy is mostly that of the large ones."""
_ROUGH = 50
"""Held-out images below which an accuracy's standard error may be above 7 points."""

_ROUGHLY: tuple[tuple[str, Kind, str], ...] = (
    ("val", "validation", "Images that validate, too few to tell schemes that are alike from each other"),
    ("test", "test", "Images that test, so that the accuracy is a rough one; its interval says how rough"),
)
_HELD_OUT_FIRST = {"test": 0, "val": 1}
"""Of equal images in several given parts the one that tests is kept: nothing that tests is trained on."""


def check_images(
    index: Path, noticed: Path, store: Path, record: Path, split: Path, *, dataset: str, seed: int,
    shares: Advising, describe: Describe | None = None,
) -> None:  # fmt: skip
    """Write what was found, and the split of what can be used; UserError, with all findings, if too little can.

    `noticed` is what the reader found when it wrote the `index`. `store` holds every image that could be
    decoded. Copies are told by its pixels: what the network would see twice; near copies also by the features that
    `describe` has of them.
    """
    listings = read_index(index)
    findings = [*Findings.read(noticed).findings, *read_stored(store).findings]
    reasons = store.with_suffix(".rejected.csv")
    rejected = read_rejected(reasons)
    findings += Finding.of(
        "unreadable", rejected, f"Files that cannot be read as images ({reasons.name} says why); they are left out"
    )
    readable = [listing for listing in listings if listing.image not in rejected]
    stored = Store(store)
    looks = look(stored, [listing.image for listing in readable])
    copies, contradictions = _repeated(readable, looks)
    findings += Finding.of("copies", copies, "Copies of other images of their class; one of each is kept")
    findings += Finding.of(
        "contradictions", contradictions, "Images that stand in several classes at once; they are left out of all"
    )
    different = [listing for listing in readable if listing.image not in {*copies, *contradictions}]
    learnable, small = _learnable(listings, different)
    findings += small
    usable = [listing for listing in different if listing.class_name in learnable]
    if len(learnable) < 2:
        raise UserError(_too_little(dataset, len(learnable), findings))
    features = describe(stored, [one.image for one in usable]) if describe and shares.near_copies else None
    likeness = _likeness(usable, readable, looks, features) if shares.near_copies else Likeness([], [])
    grouped = joined(usable, [[usable[place].image for place in places] for places in likeness.groups])
    findings += _alike(usable, likeness)
    rows, found = parted(grouped, dataset=dataset, seed=seed, shares=shares)
    findings += found
    if lacking := {"val", "test"} - {row.subset for row in rows}:
        raise UserError(_nothing_held_out(dataset, "test" if "test" in lacking else "val", findings))
    result = _counted(dataset, listings, rows, sum(map(len, likeness.groups)), findings)
    for finding in result.findings:
        log.warning("%s: %s", dataset, finding)
    write_split(rows, split, grouped=True)
    result.write(record)


def _repeated(listings: Sequence[Listing], looks: Looks) -> tuple[list[str], list[str]]:
    """Images whose pixels stand in the same class before, and those that stand in several classes."""
    same: dict[bytes, list[Listing]] = defaultdict(list)
    for listing, digest in zip(listings, looks.digests, strict=True):
        same[digest].append(listing)
    copies, contradictions = [], []
    for group in same.values():
        if len({listing.class_name for listing in group}) > 1:
            contradictions += [listing.image for listing in group]
        else:
            group.sort(key=lambda listing: (_HELD_OUT_FIRST.get(listing.subset, 2), listing.image))
            copies += [listing.image for listing in group[1:]]
    return copies, contradictions


def _learnable(listings: Sequence[Listing], usable: Sequence[Listing]) -> tuple[set[str], list[Finding]]:
    """The classes that can be learnt, and what is said of the others."""
    given = given_parts(usable)
    sizes = Counter({listing.class_name: 0 for listing in listings})
    sizes.update(listing.class_name for listing in usable if listing.subset not in given)
    least = 1 if given else FEWEST
    left_out = [name for name, size in sizes.items() if size < least]
    found = Finding.of(
        "untaught", left_out, "Classes without an image that trains in the given parts; they are left out"
    ) if given else Finding.of(
        "small", left_out,
        f"Classes with fewer than {FEWEST} images (one each to train, validate and test on); they are left out",
    )  # fmt: skip
    return sizes.keys() - set(left_out), found


def _likeness(
    usable: Sequence[Listing], readable: Sequence[Listing], looks: Looks, features: NDArray[np.float32] | None
) -> Likeness:
    place_of = {listing.image: place for place, listing in enumerate(readable)}
    return near(looks, [place_of[one.image] for one in usable], [one.class_name for one in usable], features)


def _alike(usable: Sequence[Listing], likeness: Likeness) -> list[Finding]:
    groups = likeness.groups
    return [
        *Finding.of(
            "near", [usable[place].image for places in groups for place in places],
            f"Images that nearly equal others of their class, in {len(groups):,} "
            f"group{'s' if len(groups) != 1 else ''} of up to {max(map(len, groups), default=0):,} (shots of a burst, "
            "frames, other encodings); each group is kept in one part",
        ),
        *Finding.of(
            "doubtful", [usable[place].image for place in likeness.across],
            "Images that nearly equal one of another class; they are used: see that their labels are right",
        ),
    ]  # fmt: skip


def _counted(
    dataset: str, listings: Sequence[Listing], rows: Sequence[Row], near_copies: int, findings: list[Finding]
) -> Check:
    subsets = Counter(row.subset for row in rows)
    train = Counter(row.class_name for row in rows if row.subset == "train")
    fewest, most = min(train, key=lambda name: (train[name], name)), max(train.values())
    unequal = [
        Finding(
            kind="imbalance", count=most,
            words=f"Training images of the largest class, against {train[fewest]} of the smallest, {fewest!r}",
        )
    ] if most >= _UNEQUAL * train[fewest] else []  # fmt: skip
    rough = [
        Finding(kind=kind, count=subsets[subset], words=words)
        for subset, kind, words in _ROUGHLY
        if subsets[subset] < _ROUGH
    ]
    return Check(
        dataset=dataset, images=len(listings), classes=len({listing.class_name for listing in listings}),
        used_images=len(rows), used_classes=len(train),
        train=subsets["train"], val=subsets["val"], test=subsets["test"],
        smallest=train[fewest], typical=median_low(train.values()), largest=most,
        groups=len({row.group for row in rows} - {""}), near_copies=near_copies,
        findings=(*findings, *unequal, *rough),
    )  # fmt: skip


def _too_little(dataset: str, classes: int, findings: list[Finding]) -> str:
    return (
        f"dataset {dataset!r}: {classes or 'no'} class{'' if classes == 1 else 'es'} can be learnt, but it takes two "
        f"with {FEWEST} different images each; add images.{_listed(findings)}"
    )


def _nothing_held_out(dataset: str, subset: str, findings: list[Finding]) -> str:
    doing = {"val": "validate", "test": "test"}[subset]
    return (
        f"dataset {dataset!r}: no image is left to {doing} on, because no class shows enough different scenes (images "
        "of a group, and near copies, stay together); add images of other scenes, or, if those are different, say "
        f"advice: {{near_copies: false}}.{_listed(findings)}"
    )


def _listed(findings: list[Finding]) -> str:
    found = "".join(f"\n  {finding}" for finding in findings)
    return f" What was found:{found}" if found else ""
