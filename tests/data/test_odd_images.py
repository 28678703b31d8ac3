"""Images of the real datasets that are not what their names say: stored all the same, or left out."""

import gzip
import io
from pathlib import Path

import pytest
from PIL import Image

from freeze_or_tune.data.index import build_index
from freeze_or_tune.data.splits import Draw
from freeze_or_tune.data.store import Store, build_store, read_rejected

from .conftest import tarred


def stored(folder: Path, reader: str, *paths: Path) -> tuple[dict[str, int], set[str]]:
    """Index and store all images; the grey level of each, and what could not be read."""
    build_index(reader, paths, folder / "index.csv", None)
    what = Draw(seed=0, n=9, val=1, test=1, up_to=True)
    build_store(
        paths, folder / "index.csv", [what], dataset="x", size=4, destination=folder / "store.npy", threads=2
    )  # fmt: skip
    store = Store(folder / "store.npy")
    levels = {
        name: round(float(image.mean())) for name, image in zip(store.names, store.images(store.names), strict=True)
    }
    return levels, read_rejected(folder / "store.rejected.csv")


def picture(level: int, kind: str, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (9, 5), level).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def test_formats_of_sun_are_seen_by_their_bytes_in_a_gzipped_tar(tmp_path: Path) -> None:
    root = "SUN397/a/abbey/sun_"
    files = {f"{root}{kind.lower()}.jpg": picture(40 * i, kind) for i, kind in enumerate(("JPEG", "PNG", "GIF", "BMP"))}
    files |= {f"{root}cut.jpg": picture(9, "JPEG")[:200], "SUN397/c/church/outdoor/sun_bhenjvsvrtumjuri.jpg": b"bad"}
    (tmp_path / "SUN397.tar.gz").write_bytes(gzip.compress(tarred(tmp_path / "tar", files).read_bytes()))
    levels, rejected = stored(tmp_path, "sun397", tmp_path / "SUN397.tar.gz")
    assert levels == {f"{root}jpeg.jpg": 0, f"{root}png.jpg": 40, f"{root}gif.jpg": 80, f"{root}bmp.jpg": 120}
    assert rejected == {f"{root}cut.jpg"}


def test_cmyk_png_and_grey_files_of_ilsvrc_in_a_tar_of_tars(tmp_path: Path) -> None:
    images = {
        "n02105855_2933.JPEG": picture(50, "PNG"),
        "n02105855_1.JPEG": picture(100, "JPEG", "CMYK"),
        "n02105855_2.JPEG": picture(150, "JPEG", "L"),
    }
    inner = tarred(tmp_path / "inner", images).read_bytes()
    levels, rejected = stored(tmp_path, "ilsvrc2012", tarred(tmp_path / "train.tar", {"n02105855.tar": inner}))
    assert rejected == set()
    assert {name.removeprefix("n02105855/"): level for name, level in levels.items()} == pytest.approx(
        {"n02105855_2933.JPEG": 50, "n02105855_1.JPEG": 100, "n02105855_2.JPEG": 150}, abs=2
    )
