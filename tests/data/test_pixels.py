"""All images of a dataset are decoded in one way, which is found on the deep ones among them, kept and said."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from freeze_or_tune.data import pixels as module
from freeze_or_tune.data.decoding import decode
from freeze_or_tune.data.index import build_index
from freeze_or_tune.data.own.given import given
from freeze_or_tune.data.pixels import Wish
from freeze_or_tune.data.store import Store, build_store, read_rejected, read_stored
from freeze_or_tune.records.decoding import CAFFE, Decoding, Orientation, Stored

from .conftest import encoded, unpacked
from .pictures import by_cv2, noted, saved, tiff


def grey(number: int, largest: int = 4095) -> np.ndarray:
    values = np.random.default_rng(number).integers(0, largest + 1, (9, 12))
    values[:2] = largest
    return values.astype(np.uint16)


def stored(
    folder: Path, files: Mapping[str, bytes], size: int = 8, wish: Wish = "auto", orientation: Orientation = "exif"
) -> tuple[Store, Stored]:
    unpacked(folder / "images", files)
    build_index("folder", [folder / "images"], folder / "index.csv", None)
    destination = folder / f"store-{size}.npy"
    build_store(
        [folder / "images"], folder / "index.csv", None, dataset="scans", size=size, destination=destination,
        threads=2, orientation=orientation, value_range=wish,
    )  # fmt: skip
    return Store(destination), read_stored(destination)


MIXED = {
    **{f"cell/{i}.png": by_cv2(".png", grey(i)) for i in range(4)},
    **{f"dust/{i}.tif": tiff(grey(i + 9) / 4095) for i in range(2)},
    "dust/grey.png": encoded(grey(5, 255).astype(np.uint8)),
    "dust/phone.jpg": saved(Image.fromarray(grey(5, 255).astype(np.uint8)), "JPEG", exif=noted(6)),
}


def test_what_is_found_is_kept_and_said(tmp_path: Path) -> None:
    store, record = stored(tmp_path, MIXED)
    assert record.decoding == Decoding(orientation="exif", integers=(0, 4095), reals=(0, 1))
    words = {finding.words.split(",")[0].split(" whose")[0]: finding for finding in record.findings}
    assert {name: finding.count for name, finding in words.items()} == {
        "Photographs": 1, "Images of more than 8 bits": 4, "Images of real numbers": 2,
    }  # fmt: skip
    assert {finding.kind for finding in record.findings} == {"read"}
    said = words["Images of more than 8 bits"].words
    assert "the 12 bits that they use are shown, 0 as black and 4095 as white" in said
    assert words["Images of more than 8 bits"].examples[0] == "'cell/0.png'"
    assert store.images(["cell/0.png"]).max() == 255


def test_what_predict_is_given_gets_the_pixels_of_the_store(tmp_path: Path) -> None:
    store, record = stored(tmp_path, MIXED)
    found = {str(Path(one.name).relative_to(tmp_path / "images")): one for one in given(tmp_path / "images")}
    assert sorted(found) == store.names
    for name, pixels in zip(store.names, store.images(store.names), strict=True):
        np.testing.assert_array_equal(found[name].pixels(8, record.decoding), pixels)


def test_stores_of_all_sizes_agree(tmp_path: Path) -> None:
    assert stored(tmp_path, MIXED, 4)[1].decoding == stored(tmp_path, MIXED, 16)[1].decoding


def test_a_said_range_is_taken(tmp_path: Path) -> None:
    store, record = stored(tmp_path, MIXED, wish=(0.0, 65535.0))
    assert record.decoding == Decoding(orientation="exif", integers=(0, 65535), reals=(0, 65535))
    assert store.images(["cell/0.png"]).max() == 16
    assert "0 is black and 65535 white, as `range` says" in record.findings[-1].words


def test_without_a_wish_it_is_caffes_way(tmp_path: Path) -> None:
    store, record = stored(tmp_path, MIXED, wish=None, orientation="stored")
    assert record.decoding == CAFFE
    assert [finding.count for finding in record.findings] == [1]  # turned, and left so
    assert read_rejected(tmp_path / "store-8.rejected.csv") == {"dust/0.tif", "dust/1.tif"}
    for name in ("cell/1.png", "dust/phone.jpg"):
        np.testing.assert_array_equal(store.images([name])[0], decode(MIXED[name], 8))


def test_images_of_eight_bits_are_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    real = module.decode_noting
    monkeypatch.setattr(module, "decode_noting", lambda data, *how: asked.append(data) or real(data, *how))
    stored(tmp_path, MIXED)
    assert {name: asked.count(data) for name, data in MIXED.items()} == {
        name: 1 if name in ("dust/grey.png", "dust/phone.jpg") else 2 for name in MIXED
    }


def test_of_many_deep_images_some_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 3)
    looked_at: list[bytes] = []
    real = module.deep_values
    monkeypatch.setattr(module, "deep_values", lambda data: looked_at.append(data) or real(data))
    files = {f"{'cell' if i % 2 else 'dust'}/{i}.png": by_cv2(".png", grey(i)) for i in range(7)}
    _, record = stored(tmp_path, files)
    assert len(looked_at) == 3
    assert record.decoding.integers == (0, 4095)
    assert "(looked at 3)" in record.findings[0].words
    before, looked_at[:] = set(looked_at), []
    stored(tmp_path, files, 16)
    assert set(looked_at) == before


def test_damaged_deep_images_are_left_out_and_decide_nothing(tmp_path: Path) -> None:
    broken = by_cv2(".png", grey(3, 65535))[:-40]
    store, record = stored(
        tmp_path, {**MIXED, "cell/broken.png": broken, "dust/odd.tif": tiff(np.full((3, 3), np.nan))}
    )
    assert record.decoding.integers == (0, 4095)
    assert read_rejected(tmp_path / "store-8.rejected.csv") == {"cell/broken.png", "dust/odd.tif"}
    assert len(store) == len(MIXED)
    assert [finding.count for finding in record.findings] == [1, 4, 2]


def test_a_few_bright_images_among_dark_ones_are_said(tmp_path: Path) -> None:
    scans = [by_cv2(".png", grey(i, 4000 if i else 60000)) for i in range(5)]
    files = {f"{'cell' if i % 2 else 'dust'}/{i}.png": data for i, data in enumerate(scans)}
    _, record = stored(tmp_path, files)
    assert record.decoding.integers == (0, 65535)
    assert "although half of them end at 4000 or below" in record.findings[0].words


def test_pages_and_frames_are_said_once(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    names = ("still/a.tiff", "moving/a.gif", "moving/a.webp", "moving/a.png")
    kinds = ("TIFF", "GIF", "WEBP", "PNG")
    files = {
        name: saved(frames[0], kind, save_all=True, append_images=frames[1:])
        for name, kind in zip(names, kinds, strict=True)
    }
    store, record = stored(tmp_path, files)
    assert {finding.words.split(";")[0]: finding.count for finding in record.findings} == {
        "Files of several pages": 1, "Animations": 3
    }  # fmt: skip
    np.testing.assert_allclose(store.images(store.names)[..., 0].astype(int), 255, atol=3)
