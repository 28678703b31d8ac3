"""A look at one's own images before anything is learnt from them: what is wrong, in words, and what is left."""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median_low

from freeze_or_tune.data.index import read_index
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.own.shares import FEWEST, draw_shares
from freeze_or_tune.data.splits import Row, write_split
from freeze_or_tune.data.store import BLOCK, Store, read_rejected, read_stored
from freeze_or_tune.records.advice import Check
from freeze_or_tune.records.findings import Finding, Findings, Kind
from freeze_or_tune.study.settings import Advising
from freeze_or_tune.system.errors import UserError

log = logging.getLogger(__name__)

_UNEQUAL = 5
"""From this ratio of the largest class to the smallest on, accuracy is mostly that of the large ones."""
_ROUGH = 50
"""Held-out images below which an accuracy's standard error may be above 7 points."""

_ROUGHLY: tuple[tuple[str, Kind, str], ...] = (
    ("val", "validation", "Images that validate, too few to tell schemes that are alike from each other"),
    ("test", "test", "Images that test, so that the accuracy is a rough one; its interval says how rough"),
)


def check_images(
    index: Path, noticed: Path, store: Path, record: Path, split: Path, *, dataset: str, seed: int,
    shares: Advising,
) -> None:  # fmt: skip
    """Write what was found, and the split of what can be used; UserError, with all findings, if too little can.

    `noticed` is what the reader found when it wrote the `index`. `store` holds every image that could be
    decoded. Copies are told by its pixels: what the network would see twice.
    """
    listings = read_index(index)
    findings = [*Findings.read(noticed).findings, *read_stored(store).findings]
    reasons = store.with_suffix(".rejected.csv")
    rejected = read_rejected(reasons)
    findings += Finding.of(
        "unreadable", rejected, f"Files that cannot be read as images ({reasons.name} says why); they are left out"
    )
    copies, contradictions = _repeated([listing for listing in listings if listing.image not in rejected], Store(store))
    findings += Finding.of("copies", copies, "Copies of other images of their class; one of each is kept")
    findings += Finding.of(
        "contradictions", contradictions, "Images that stand in several classes at once; they are left out of all"
    )
    left_out = {*rejected, *copies, *contradictions}
    sizes = Counter({listing.class_name: 0 for listing in listings})
    sizes.update(listing.class_name for listing in listings if listing.image not in left_out)
    small = [name for name, size in sizes.items() if size < FEWEST]
    findings += Finding.of(
        "small", small,
        f"Classes with fewer than {FEWEST} images (one each to train, validate and test on); they are left out",
    )  # fmt: skip
    usable = [listing for listing in listings if listing.image not in left_out and sizes[listing.class_name] >= FEWEST]
    if len(sizes) - len(small) < 2:
        raise UserError(_too_little(dataset, len(sizes) - len(small), findings))
    rows = draw_shares(usable, dataset=dataset, seed=seed, val=shares.val, test=shares.test, most=shares.most)
    result = _counted(dataset, listings, rows, findings)
    for finding in result.findings:
        log.warning("%s: %s", dataset, finding)
    write_split(rows, split)
    result.write(record)


def _repeated(listings: Sequence[Listing], store: Store) -> tuple[list[str], list[str]]:
    """Images whose pixels stand in the same class before, and those that stand in several classes."""
    same: dict[bytes, list[Listing]] = defaultdict(list)
    for start in range(0, len(listings), BLOCK):
        block = listings[start : start + BLOCK]
        for listing, pixels in zip(block, store.images([listing.image for listing in block]), strict=True):
            same[hashlib.sha256(pixels.data).digest()].append(listing)
    copies, contradictions = [], []
    for group in same.values():
        if len({listing.class_name for listing in group}) > 1:
            contradictions += [listing.image for listing in group]
        else:
            copies += [listing.image for listing in group[1:]]
    return copies, contradictions


def _counted(dataset: str, listings: Sequence[Listing], rows: Sequence[Row], findings: list[Finding]) -> Check:
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
        findings=(*findings, *unequal, *rough),
    )  # fmt: skip


def _too_little(dataset: str, classes: int, findings: list[Finding]) -> str:
    found = "".join(f"\n  {finding}" for finding in findings)
    return (
        f"dataset {dataset!r}: {classes or 'no'} class{'' if classes == 1 else 'es'} can be learnt, but it takes two "
        f"with {FEWEST} different images each; add images.{' What was found:' if found else ''}{found}"
    )
