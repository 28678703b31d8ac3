"""Crops of scikit-learn's two photographs, and the same ones as bursts, encodings and other exposures show them."""

import io
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageEnhance
from sklearn.datasets import load_sample_image

from freeze_or_tune.data.index import build_index, read_index
from freeze_or_tune.data.own import likeness
from freeze_or_tune.data.own.likeness import ALIKE, APART, Likeness, Looks, look, near
from freeze_or_tune.data.store import Store, build_store

SIDE = 100


@pytest.fixture(scope="module")
def crops() -> list[Image.Image]:
    photographs = [Image.fromarray(load_sample_image(f"{name}.jpg")) for name in ("china", "flower")]
    corners = [(left, top) for left in range(0, 541, SIDE) for top in range(0, 301, SIDE)]
    found = [one.crop((left, top, left + SIDE, top + SIDE)) for one in photographs for left, top in corners]
    return [one for one in found if np.std(one.convert("L")) > 20]  # not the plain sky


def noisy(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image).astype(int) + np.random.default_rng(0).integers(-3, 4, (SIDE, SIDE, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def compressed(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    return Image.open(buffer)


def smaller(image: Image.Image) -> Image.Image:
    return image.resize((80, 80), Image.Resampling.BICUBIC)


def brighter(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(1.1)


def darker(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(0.9)


def found(images: dict[str, Image.Image], folder: Path) -> tuple[Store, list[str], Likeness]:
    """Of images by their names, `class/name`, read as the workflow does."""
    for name, image in images.items():
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(folder / f"images/{name}.png")
    index, store = folder / "index.csv", folder / "store.npy"
    build_index("folder", [folder / "images"], index, None)
    build_store([folder / "images"], index, None, dataset="x", size=64, destination=store, threads=1)
    listings = read_index(index)
    names = [listing.image for listing in listings]
    looks = look(Store(store), names)
    return Store(store), names, near(looks, range(len(names)), [listing.class_name for listing in listings])


@pytest.mark.parametrize("change", [noisy, compressed, smaller, brighter, darker])
def test_the_same_shot_is_found_and_other_places_are_not(
    crops: list[Image.Image], tmp_path: Path, change: Callable[[Image.Image], Image.Image]
) -> None:
    images = {f"a/{number:02}-{kind}": image for number, one in enumerate(crops) for kind, image in
              (("first", one), ("second", change(one)))}  # fmt: skip
    images["b/other"] = crops[0].transpose(Image.Transpose.ROTATE_90)
    _, names, alike = found(images, tmp_path)
    grouped = [{names[place][:4] for place in places} for places in alike.groups]
    assert all(len(group) == 1 for group in grouped)
    assert len(grouped) >= 0.95 * len(crops)
    assert alike.across == []


def test_they_are_the_pairs_on_which_hash_and_picture_agree(crops: list[Image.Image], tmp_path: Path) -> None:
    """Counted pair by pair, with imagehash's own difference and numpy's own correlation."""
    generator = np.random.default_rng(0)
    mixed = {
        f"a/{number:02}-{step}": Image.blend(one, crops[generator.integers(len(crops))], step / 20)
        for number, one in enumerate(crops[::4])
        for step in range(4)
    }
    store, names, alike = found(mixed | {"b/other": crops[1].rotate(180)}, tmp_path)
    images = [Image.fromarray(pixels) for pixels in store.images(names)]  # of 64 pixels, as they are hashed
    hashes = [imagehash.phash(image) for image in images]
    small = [np.asarray(image.resize((16, 16), Image.Resampling.BOX)).astype(float) for image in images]
    centred = [(one - one.mean((0, 1))).ravel() for one in small]
    pairs = {
        (a, b)
        for a, b in combinations(range(len(names)), 2)
        if hashes[a] - hashes[b] <= APART and np.corrcoef(centred[a], centred[b])[0, 1] >= ALIKE
    }
    groups = {place: number for number, places in enumerate(alike.groups) for place in places}
    assert pairs
    assert all(groups[a] == groups[b] for a, b in pairs)
    assert groups.keys() == {place for pair in pairs for place in pair}


def test_tiles_change_nothing(crops: list[Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = {
        f"{'ab'[number % 2]}/{number:02}-{kind}": image
        for number, one in enumerate(crops[:20])
        for kind, image in enumerate((one, noisy(one), darker(one)))
    }
    store, names, whole = found(images, tmp_path)
    monkeypatch.setattr(likeness, "_TILE", 7)
    parts = near(look(store, names), range(len(names)), [name[0] for name in names])
    assert parts == whole
    assert sorted(map(len, whole.groups)) == [3] * 20


def test_one_that_nearly_equals_another_class_is_told_and_not_joined(crops: list[Image.Image], tmp_path: Path) -> None:
    images = {"a/1": crops[0], "a/2": noisy(crops[0]), "b/1": darker(crops[0]), "b/2": crops[1]}
    _, names, alike = found(images, tmp_path)
    assert [[names[place] for place in places] for places in alike.groups] == [["a/1.png", "a/2.png"]]
    assert [names[place] for place in alike.across] == ["a/1.png", "a/2.png", "b/1.png"]


def test_plain_images_are_not_alike(tmp_path: Path) -> None:
    """Not even those of one colour but for noise: there is nothing in them to tell scenes by."""
    generator = np.random.default_rng(0)
    images = {f"{'ab'[i % 2]}/{i}": Image.new("RGB", (64, 64), (200, i, 9)) for i in range(10)}
    images |= {
        f"a/noise{i}": Image.fromarray(generator.integers(90, 110, (64, 64, 3)).astype(np.uint8)) for i in range(10)
    }
    _, _, alike = found(images, tmp_path)
    assert (alike.groups, alike.across) == ([], [])


def test_only_the_places_asked_for_are_compared(crops: list[Image.Image], tmp_path: Path) -> None:
    store, names, _ = found(
        {"a/1": crops[0], "a/2": noisy(crops[0]), "b/1": crops[1], "b/2": darker(crops[0])}, tmp_path
    )
    looks = look(store, names)
    assert near(looks, [1, 2, 3], ["a", "a", "a"]).groups == [[0, 2]]
    assert near(looks, [], []) == Likeness([], [])


def test_what_has_moved_is_told_by_features_of_its_class_if_hashes_agree_a_little() -> None:
    """Of four of a class the second is the first moved, the third as near in features alone, the last in neither."""
    generator = np.random.default_rng(0)
    hashes = np.zeros(8, np.uint64)
    hashes[[1, 5]] = 2**likeness.MOVED - 1
    hashes[[2, 6]] = 2 ** (likeness.MOVED + 1) - 1 << 40
    hashes[[3, 7]] = 2**12 - 1 << 20
    looks = Looks([b""] * 8, hashes, generator.integers(0, 256, (8, 256, 3), np.uint8))
    classes, own, other = list("aaaabbbb"), generator.normal(0, 1, (2, 64)), generator.normal(0, 1, (2, 64))
    common = np.repeat(generator.normal(0, 9, (2, 64)), 4, axis=0)  # which all images of a class have
    pairs = zip(own, other, strict=True)
    features = common + np.concatenate([[one, one + 0.01, one + 0.02, two] for one, two in pairs])
    assert near(looks, range(8), classes, features.astype(np.float32)).groups == [[0, 1], [4, 5]]
    assert near(looks, range(8), classes).groups == []
    assert near(looks, range(8), list("abababab"), features.astype(np.float32)).groups == []


def test_a_class_of_equal_features_has_nothing_of_its_own() -> None:
    small = np.random.default_rng(0).integers(0, 256, (3, 256, 3), np.uint8)
    looks = Looks([b""] * 3, np.zeros(3, np.uint64), small)
    assert near(looks, range(3), ["a"] * 3, np.ones((3, 8), np.float32)).groups == []
