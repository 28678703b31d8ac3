"""Which near copies are found among one's own images, and what is taken for one: `python -m benchmarks.near_copies`.

Pictures of several kinds beside changed ones: noise, another encoding, size or brightness, a turn, the place next to
it; the share of pairs that is found. Then whole datasets of different pictures, of which what is found is false, or so
alike that nobody could tell. Datasets whose files are not there are left out: `snakemake -- resources/downloads/...`
fetches them; without the network that `snakemake -- results/networks/imagenet.safetensors` makes, pixels alone decide.
Last, time and memory. Prints the tables of docs/performance.md.
"""

import argparse
import io
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from benchmarks.compare import table
from freeze_or_tune.data.archives import open_archive
from freeze_or_tune.data.builtin import export_digits, render_glyphs
from freeze_or_tune.data.decoding import decode_whole, warp
from freeze_or_tune.data.index import build_index, read_index
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.layouts.crops import PICTURES
from freeze_or_tune.data.own.checking import Describe
from freeze_or_tune.data.own.likeness import Likeness, Looks, look, near
from freeze_or_tune.data.store import Store, build_store
from freeze_or_tune.stages.deployed import CPU
from freeze_or_tune.stages.features import features_of
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.datasets import CROP, Crops, SolarCells
from freeze_or_tune.study.reading import read_study

WEIGHTS = Path("results/networks/imagenet.safetensors")
MOST = 150
"""Pictures of a kind that are changed."""
PLACE = 200
"""Pixels a side of a place in a picture of scikit-image."""

Picture = Image.Image


def shot(picture: Picture) -> Picture:
    """Three grey levels of noise, as the next shot of a burst has."""
    pixels = np.asarray(picture).astype(int)
    return Image.fromarray(
        (pixels + np.random.default_rng(0).integers(-3, 4, pixels.shape)).clip(0, 255).astype("uint8")
    )


def encoded(picture: Picture) -> Picture:
    """A JPEG of quality 50."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=50)
    return Image.open(buffer).convert("RGB")


def resized(picture: Picture) -> Picture:
    """Eight tenths of the size."""
    return picture.resize((picture.width * 8 // 10, picture.height * 8 // 10), Image.Resampling.BILINEAR)


def exposed(by: float) -> Callable[[Picture], Picture]:
    """So many times the brightness."""
    return lambda picture: ImageEnhance.Brightness(picture).enhance(by)


def turned(picture: Picture) -> Picture:
    """Turned by two degrees about the middle of what is shown."""
    return cut(picture.rotate(2, Image.Resampling.BILINEAR), 0)


def cut(picture: Picture, by: float) -> Picture:
    """Nine tenths of each side, moved by a share of it from the middle to a corner."""
    side = min(picture.size) * 9 // 10
    corner = (min(picture.size) - side) // 2 + round(by * side)
    return picture.crop((corner, corner, corner + side, corner + side))


SAME: Mapping[str, Callable[[Picture], Picture]] = {
    "noise of 3": shot, "JPEG of quality 50": encoded, "size of 0.8": resized, "brightness of 0.9": exposed(0.9),
    "brightness of 1.1": exposed(1.1),
}  # fmt: skip
MOVED: Mapping[str, Callable[[Picture], Picture]] = {
    "turned by 2 degrees": turned,
    "moved by 1 %": lambda picture: cut(picture, 0.01),
    "moved by 2 %": lambda picture: cut(picture, 0.02),
    "moved by 5 %": lambda picture: cut(picture, 0.05),
}
"""Against the middle of the picture."""


def changed(picture: Picture) -> dict[str, tuple[Picture, Picture]]:
    """The pairs that one picture gives."""
    middle = cut(picture, 0)
    return {name: (picture, change(picture)) for name, change in SAME.items()} | {
        name: (middle, change(picture)) for name, change in MOVED.items()
    }


def pictures(scratch: Path) -> Iterator[tuple[str, list[Picture]]]:
    """Pictures of each kind, those that are here."""
    for name in ("digits", "latin-b"):
        images = {"digits": scratch / "digits.zip", "latin-b": scratch / "latin-b.zip"}[name]
        with open_archive(images) as archive:
            names = archive.names()
            yield name, [_opened(archive.read(one)).resize((64, 64)) for one in names[:: len(names) // MOST]][:MOST]
    cells = Path(SolarCells(reader="solar-cells").files[0])
    if cells.exists():
        with open_archive(cells) as archive:
            names = [name for name in archive.names() if name.endswith(".png")]
            yield "solar cells", [_opened(archive.read(one)) for one in names[:: len(names) // MOST]][:MOST]
    wheel = Path(Crops(reader="textures").files[0])
    for kind, files in PICTURES.items() if wheel.exists() else ():
        with open_archive(wheel) as archive:
            whole = [_opened(archive.read(f"skimage/data/{file}")) for file in files]
            places = [
                one.crop((left, top, left + PLACE, top + PLACE))
                for one in whole
                for left in range(0, one.width - PLACE + 1, PLACE)
                for top in range(0, one.height - PLACE + 1, PLACE)
            ]
            yield kind, [one for one in places if np.std(one.convert("L")) > 10][:MOST]


def _opened(data: bytes) -> Picture:
    return Image.fromarray(decode_whole(data))


class Shown:
    """Pictures in place of a store, called by their numbers."""

    def __init__(self, pictures: Sequence[Picture], size: int) -> None:
        """Warp them as a store does."""
        self.pixels = np.array([warp(np.asarray(picture), size) for picture in pictures])

    def images(self, names: Sequence[str]) -> np.ndarray:
        """Some of them, as a store has them."""
        return self.pixels[[int(name) for name in names]]


def eyes(sizes: Network) -> Describe | None:
    """A network that knows photographs, if its weights are there."""

    def describe(images: Store, names: Sequence[str]) -> np.ndarray:
        return np.concatenate(list(features_of(sizes, WEIGHTS, images, names, CPU)))

    return describe if WEIGHTS.exists() else None


def recall(images: list[Picture], size: int, describe: Describe | None) -> dict[str, float]:
    """Of the pairs of each change the share that is found among all of them, as images of one class."""
    pairs: dict[str, list[tuple[Picture, Picture]]] = {}
    for image in images:
        for name, pair in changed(image).items():
            pairs.setdefault(name, []).append(pair)
    return {name: _found(pairs, size, describe) for name, pairs in pairs.items()}


def _found(pairs: list[tuple[Picture, Picture]], size: int, describe: Describe | None) -> float:
    shown: Any = Shown([picture for pair in pairs for picture in pair], size)
    names = [str(number) for number in range(2 * len(pairs))]
    features = describe(shown, names) if describe else None
    groups = near(look(shown, names), range(len(names)), ["same"] * len(names), features).groups
    group_of = {place: number for number, places in enumerate(groups) for place in places}
    together = [2 * n in group_of and group_of[2 * n] == group_of.get(2 * n + 1) for n in range(len(pairs))]
    return float(np.mean(together))


def datasets(
    scratch: Path, size: int, describe: Describe | None
) -> Iterator[tuple[str, list[Listing], Looks, np.ndarray | None]]:
    """Datasets of different pictures, and what the network has of them."""
    cells, crops = SolarCells(reader="solar-cells").files[0], Crops(reader="textures").files[0]
    own = [("digits", "folder", scratch / "digits.zip", None), ("latin-b", "folder", scratch / "latin-b.zip", None)]
    fetched = [("solar cells", "solar-cells", Path(cells), None), *((k, k, Path(crops), CROP) for k in PICTURES)]
    for name, reader, path, patch in [*own, *(one for one in fetched if one[2].exists())]:
        index, store = scratch / f"{name}.csv.index", scratch / f"{name}.npy"
        build_index(reader, [path], index, None)
        build_store([path], index, None, dataset=name, size=size, destination=store, threads=2, patch=patch)
        listings = read_index(index)
        looks = look(Store(store), [listing.image for listing in listings])
        first = sorted(np.unique(looks.digests, return_index=True)[1])
        different = [listings[place] for place in first]
        features = describe(Store(store), [listing.image for listing in different]) if describe else None
        yield name, different, _some(looks, first), features
        store.unlink()


def _some(looks: Looks, places: list[int]) -> Looks:
    return Looks([looks.digests[place] for place in places], looks.hashes[places], looks.small[places])


def compared(listings: list[Listing], looks: Looks, features: np.ndarray | None) -> Likeness:
    """All images with each other."""
    return near(looks, range(len(listings)), [listing.class_name for listing in listings], features)


def speed(images: int, scratch: Path, size: int, describe: Describe | None) -> tuple[float, float, float, float]:
    """Seconds of a core to look at so many letters, to describe and to compare them, and the memory in MB."""
    render_glyphs("latin-b", images // 40, scratch / "many.zip")
    build_index("folder", [scratch / "many.zip"], scratch / "many.index", None)
    store = scratch / "many.npy"
    build_store(
        [scratch / "many.zip"], scratch / "many.index", None, dataset="m", size=size, destination=store, threads=2
    )
    listings = read_index(scratch / "many.index")
    names = [listing.image for listing in listings]
    tracemalloc.start()
    start = time.process_time()
    looks = look(Store(store), names)
    looked = time.process_time()
    features = describe(Store(store), names) if describe else None
    seen = time.process_time()
    compared(listings, looks, features)
    matched = time.process_time()
    memory = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return looked - start, seen - looked, matched - seen, memory


def many(images: int) -> float:
    """Seconds of a core to compare so many pictures of noise, whatever their kind would be."""
    generator = np.random.default_rng(0)
    looks = Looks(
        [b""] * images, generator.integers(0, 2**63, images, np.uint64),
        generator.integers(0, 256, (images, 256, 3), np.uint8),
    )  # fmt: skip
    start = time.process_time()
    near(looks, range(images), ["same"] * images)
    return time.process_time() - start


def main() -> None:
    """Measure, print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000, help="to look at and compare (default: %(default)s)")
    arguments = parser.parse_args()
    sizes = read_study("config/config.yaml").network_of("imagenet")
    describe, size = eyes(sizes), sizes.image_size
    print(f"With {f'the network in {WEIGHTS}' if describe else 'no network'}, {size} pixels a side.\n")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        export_digits(scratch / "digits.zip")
        render_glyphs("latin-b", 30, scratch / "latin-b.zip")
        found = {name: recall(images, size, describe) for name, images in pictures(scratch)}
        rows = [(change, *(100 * found[kind][change] for kind in found)) for change in (*SAME, *MOVED)]
        table(("found, percent of pairs", *found), rows)
        print()
        columns = (
            "different pictures",
            "images",
            "nearly equal in their class",
            "percent",
            "largest group",
            "across classes",
        )
        seen = datasets(scratch, size, describe)
        table(columns, [_row(name, listings, compared(listings, looks, own)) for name, listings, looks, own in seen])
        looked, told, matched, memory = speed(arguments.images, scratch, size, describe)
        print(
            f"\n{arguments.images:,} images of {size} pixels: {looked:.1f} s of a core to look at them, {told:.1f} s "
            f"to describe and {matched:.1f} s to compare them, {memory:.0f} MB of memory"
        )
        print(
            f"{10 * arguments.images:,} images: {many(10 * arguments.images):.0f} s of a core to compare their hashes"
        )


def _row(name: str, listings: list[Listing], found: Likeness) -> tuple[str, int, int, float, int, int]:
    held = sum(map(len, found.groups))
    largest = max(map(len, found.groups), default=0)
    return name, len(listings), held, 100 * held / len(listings), largest, len(found.across)


if __name__ == "__main__":
    main()
