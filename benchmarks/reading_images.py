"""A folder of people's pictures into a store, against Pillow on all cores: `python -m benchmarks.reading_images`.

Ours lists the folder, decodes every picture as `advise` does, and writes the store; the other side does
`Image.open(path).convert("RGB").resize((S, S))` and keeps nothing, in processes and in threads, of which the faster
one counts. Pictures as cameras and telephones make them, of 0.3 to 1.9 million pixels: JPEG (a sixth of them turned by
a note), PNG, WebP, and PNG with 12 of 16 bits. Each measurement is a process of its own, interpreter and imports
included; the sides take turns. Prints tables for docs/performance.md.
"""

import argparse
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from freeze_or_tune.system.job import peak_resident_mb
from benchmarks.measured import since_start
from freeze_or_tune.data.index import build_index
from freeze_or_tune.data.store import Store, build_store
from freeze_or_tune.system.machine import usable_cores

SIZES = ((640, 480), (800, 600), (1024, 768), (1280, 960), (1600, 1200))
KINDS = ("turned", *["JPEG"] * 5, "PNG", "WEBP", "deep")
DISTINCT, CLASSES = 180, 10
SIDE = 224


def picture(number: int) -> tuple[str, bytes]:
    """Suffix and bytes of one of the distinct pictures: blots of all sizes, with the noise of a sensor."""
    kind, size = KINDS[number % len(KINDS)], SIZES[number // len(KINDS) % len(SIZES)]
    rng = np.random.default_rng(number)
    blots = rng.integers(0, 256, (size[1] // 16, size[0] // 16, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(blots).resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    pixels = (smooth + rng.integers(-6, 7, smooth.shape)).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    if kind == "deep":
        Image.fromarray(pixels[..., 0].astype(np.uint16) * 16).save(buffer, "PNG")
        return "png", buffer.getvalue()
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if kind == "turned" else {}
    Image.fromarray(pixels).save(buffer, "JPEG" if kind == "turned" else kind, **options)
    return {"PNG": "png", "WEBP": "webp"}.get(kind, "jpg"), buffer.getvalue()


def write(folder: Path, count: int) -> None:
    """Write `count` pictures in folders of classes; those that are alike differ in what stands behind their pixels."""
    with Pool() as pool:
        distinct = pool.map(picture, range(min(DISTINCT, count)))
    for number in range(count):
        suffix, data = distinct[number % len(distinct)]
        path = folder / f"class {number % CLASSES}" / f"{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data + number.to_bytes(4))


def by_pillow(path: Path) -> tuple[int, int]:
    """What anybody would write; the size is looked at, so that nothing is left undone."""
    with Image.open(path) as image:
        return image.convert("RGB").resize((SIDE, SIDE)).size


def ours(folder: Path) -> None:
    """Index and store, as the rules make them."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as results:
        index, store = Path(results, "index.csv"), Path(results, "store.npy")
        build_index("folder", [folder], index, None)
        build_store(
            [folder], index, None, dataset="pictures", size=SIDE, destination=store, threads=cores(),
            orientation="exif", value_range="auto",
        )  # fmt: skip
        assert len(Store(store)) == sum(1 for _ in folder.glob("*/*"))


def in_processes(folder: Path) -> None:
    """Pillow, a process for each core."""
    with Pool(cores()) as pool:
        assert set(pool.imap_unordered(by_pillow, folder.glob("*/*"), chunksize=16)) == {(SIDE, SIDE)}


def in_threads(folder: Path) -> None:
    """Pillow, a thread for each core."""
    with ThreadPoolExecutor(cores()) as pool:
        assert set(pool.map(by_pillow, folder.glob("*/*"))) == {(SIDE, SIDE)}


SIDES: dict[str, Callable[[Path], None]] = {"ours": ours, "processes": in_processes, "threads": in_threads}


def cores() -> int:
    """All that this machine gives."""
    return max(1, int(usable_cores()))


def measured(side: str, folder: Path) -> list[float]:
    """Seconds by the clock and of all processors, and peak memory (MB), of one side, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.reading_images", "--side", side, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def compare(counts: list[int], turns: int) -> Iterator[tuple[object, ...]]:
    """Rows of the table."""
    for count in counts:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, "pictures")
            write(folder, count)
            megabytes = sum(path.stat().st_size for path in folder.glob("*/*")) / 1e6
            found: dict[str, list[list[float]]] = {side: [] for side in SIDES}
            for turn in range(turns):
                for side in random.Random(turn).sample(list(SIDES), len(SIDES)):
                    found[side].append(measured(side, folder))
        clock, processor, memory = (
            [median(run[column] for run in found[side]) for side in SIDES] for column in range(3)
        )  # fmt: skip
        yield count, round(megabytes), *clock, clock[0] / min(clock[1:]), *processor, memory[0]


def main() -> None:
    """Measure in turns and print, or be one side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000], help="pictures of each folder")
    parser.add_argument("--turns", type=int, default=3, help="of which the middle one counts")
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        SIDES[arguments.side](arguments.folder)
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        processor = sum(one.ru_utime + one.ru_stime for one in spent)
        print(json.dumps((since_start(), processor, peak_resident_mb())))
        return
    from benchmarks.compare import table  # noqa: PLC0415 - and torch with it, for which neither side is to wait

    header = (
        "pictures", "MB", "ours: s", "Pillow in processes: s", "in threads: s", "ratio",
        "ours: s of processor", "in processes", "in threads", "ours: peak MB",
    )  # fmt: skip
    table(header, list(compare(arguments.images, arguments.turns)))


if __name__ == "__main__":
    main()
