import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freeze_or_tune.data import store as module
from freeze_or_tune.data.decoding import UnreadableImage, decode, decode_whole, warp
from freeze_or_tune.data.index import build_index
from freeze_or_tune.data.patches import Photos, cut_out, point_name, point_of
from freeze_or_tune.data.splits import Draw
from freeze_or_tune.data.store import Store, build_store, read_rejected
from freeze_or_tune.system.errors import UserError

from .conftest import encoded, zipped


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(st.text(min_size=1), st.integers(0, 9999), st.integers(0, 9999))
def test_names_of_points(photo: str, row: int, column: int) -> None:
    assert point_of(point_name(photo, row, column)) == (photo, row, column)


@pytest.mark.parametrize("name", ["a.jpg", "a.jpg@1", "a.jpg@1,", "@1,2", "a@1,2.jpg", "a@-1,2"])
def test_what_is_no_point(name: str) -> None:
    with pytest.raises(UserError, match="is no point of a photo"):
        point_of(name)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 40), st.data())
@settings(max_examples=150, deadline=None)
def test_patches_are_reflected_as_numpy_pads(height: int, width: int, side: int, data: st.DataObject) -> None:
    row, column = data.draw(st.integers(0, height)), data.draw(st.integers(0, width))
    photo, border = noise(height, width), side
    padded = np.pad(photo, ((border, border + 1), (border, border + 1), (0, 0)), mode="reflect")
    top, left = row + border - side // 2, column + border - side // 2
    expected = padded[top : top + side, left : left + side]
    np.testing.assert_array_equal(cut_out(photo, row, column, side), expected)


def test_a_point_outside() -> None:
    for row, column in ((6, 0), (0, 10)):
        with pytest.raises(UnreadableImage, match=f"point {row}, {column} lies outside the photo of 5 x 9 pixels"):
            cut_out(noise(5, 9), row, column, 4)


def test_a_whole_image_and_warping_it_is_decoding() -> None:
    pixels = noise(30, 50)
    np.testing.assert_array_equal(decode_whole(encoded(pixels)), pixels)
    np.testing.assert_array_equal(warp(pixels, 16), decode(encoded(pixels), 16))
    assert decode_whole(encoded(pixels[..., 0])).shape == (30, 50, 3)
    with pytest.raises(UnreadableImage):
        decode_whole(b"no image")


def test_photos_are_decoded_once_by_many_threads() -> None:
    calls: list[str] = []
    running = threading.Barrier(4)

    def slow(name: str) -> np.ndarray:
        calls.append(name)
        time.sleep(0.01)
        return noise(2, 2, int(name))

    photos = Photos(slow, keep=5)

    def ask(i: int) -> np.ndarray:
        if i < 4:
            running.wait()
        return photos(str(i // 50))

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(ask, range(1000)))
    assert sorted(calls) == sorted(str(i) for i in range(20))
    assert all((result == noise(2, 2, i // 50)).all() for i, result in enumerate(results))
    assert len(photos._photos) <= 5


def test_an_error_is_every_askers_error() -> None:
    def broken(name: str) -> np.ndarray:
        raise UnreadableImage(name)

    photos = Photos(broken, keep=2)
    for _ in range(2):
        with pytest.raises(UnreadableImage, match="x"):
            photos("x")


REEF = "mcr_lter1_qu{}_2008041{}.jpg"
HEADER = "# Row; Col; Label\n"


def reef(path: Path) -> dict[str, np.ndarray]:
    """Write seven photos of seven quadrats with points of two labels; one is broken; a point lies outside each."""
    photos = {REEF.format(i, i): noise(40, 60, i) for i in range(1, 8)}
    points = "".join(f"{r}; {3 * r}; {('Sand', 'cca')[r % 2]}\n" for r in range(0, 20)) + "99; 1; CCA\n"
    files = {name: encoded(pixels) for name, pixels in photos.items()}
    files[REEF.format(1, 1)] = b"broken"
    zipped(path, files | {f"{name}.txt": (HEADER + points).encode() for name in photos})
    return photos


def test_a_store_of_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = reef(tmp_path / "reef.zip")
    build_index("corals", tmp_path / "reef.zip", tmp_path / "index.csv", None)
    calls: list[bytes] = []
    real = module.decode_whole
    monkeypatch.setattr(module, "decode_whole", lambda data: calls.append(data) or real(data))
    build_store(
        tmp_path / "reef.zip", tmp_path / "index.csv", [Draw(0, 20, 5, 5)],
        dataset="reef", size=8, destination=tmp_path / "reef.npy", threads=3, patch=12,
    )  # fmt: skip
    store = Store(tmp_path / "reef.npy")
    for name, image in zip(store.names, store.images(store.names), strict=True):
        photo, row, column = point_of(name)
        padded = np.pad(photos[photo], ((12, 12), (12, 12), (0, 0)), mode="reflect")
        patch = padded[row + 6 : row + 18, column + 6 : column + 18]
        np.testing.assert_array_equal(image, decode(encoded(patch), 8))
    # A round decodes each photo once, however many of its points are used.
    assert len(calls) <= 4 * 7 < len(store) == 60
    rejected = read_rejected(tmp_path / "reef.rejected.csv")
    assert any(name.startswith(REEF.format(1, 1)) for name in rejected)
    assert all(name.startswith(REEF.format(1, 1)) or name.endswith("@99,1") for name in rejected)


def test_points_need_a_patch_and_images_none(tmp_path: Path) -> None:
    reef(tmp_path / "reef.zip")
    build_index("corals", tmp_path / "reef.zip", tmp_path / "index.csv", None)
    build_index("folder", zipped(tmp_path / "p.zip", {"a/1.png": b"", "b/1.png": b""}), tmp_path / "pets.csv", None)
    for archive, index, patch, message in (
        ("reef.zip", "index.csv", None, "lacks 147 images"),
        ("p.zip", "pets.csv", 12, "patches are cut only around points"),
    ):
        with pytest.raises(UserError, match=message):
            build_store(
                tmp_path / archive, tmp_path / index, [Draw(0, 1, 1, 1)],
                dataset="x", size=8, destination=tmp_path / "x.npy", threads=1, patch=patch,
            )  # fmt: skip
