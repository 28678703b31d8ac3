from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from freeze_or_tune.data.index import build_index
from freeze_or_tune.data.samples import CLASSES, GAP, IMAGES, SIDE, contact_sheet
from freeze_or_tune.data.splits import Draw
from freeze_or_tune.data.store import build_store
from freeze_or_tune.system.errors import UserError

from .conftest import plain, zipped


def stored(folder: Path, files: dict[str, bytes]) -> tuple[Path, Path]:
    """The store of all images, and the index."""
    archive, index, store = folder / "pets.zip", folder / "index.csv", folder / "pets.npy"
    build_index("folder", zipped(archive, files), index, None)
    smallest = len(files) // len({name.split("/")[0] for name in files})
    split = Draw(seed=0, n=smallest - 2, val=1, test=1)
    build_store(archive, index, [split], dataset="pets", size=8, destination=store, threads=1)
    return store, index


def pets(classes: int, images: int) -> dict[str, bytes]:
    """Grey squares: the class is the tens of the value, the image its ones."""
    return {f"{k:02d}/{i}.png": plain(10 * k + i) for k in range(classes) for i in range(images)}


def pictures(path: Path) -> np.ndarray:
    """Grey values of the pictures on a sheet [rows, columns]; -1 where there is none."""
    with Image.open(path) as sheet:
        pixels = np.asarray(sheet).astype(int)
    middles = pixels[SIDE // 2 :: SIDE + GAP, SIDE // 2 :: SIDE + GAP]
    return np.where(middles[..., 3] > 0, middles[..., 0], -1)


def test_a_column_holds_different_images_of_one_class(tmp_path: Path) -> None:
    store, index = stored(tmp_path, pets(12, 5))
    contact_sheet(store, index, tmp_path / "pets.png", dataset="pets")
    values = pictures(tmp_path / "pets.png")
    assert values.shape == (IMAGES, CLASSES)
    classes = values // 10
    assert (classes == classes[0]).all()
    assert len(np.unique(classes)) == CLASSES
    assert len(np.unique(values)) == values.size
    assert (np.diff(classes[0]) > 0).all()


def test_few_classes_and_images_leave_gaps(tmp_path: Path) -> None:
    files = pets(2, 3)
    store, index = stored(tmp_path, files)
    index.write_text("".join(line for line in index.read_text().splitlines(True) if "01/2" not in line))
    contact_sheet(store, index, tmp_path / "pets.png", dataset="pets")
    values = pictures(tmp_path / "pets.png")
    assert sorted(values.ravel()) == [-1, 0, 1, 2, 10, 11]


def test_the_same_store_gives_the_same_sheet_whatever_else_is_indexed(tmp_path: Path) -> None:
    store, index = stored(tmp_path, pets(12, 5))
    contact_sheet(store, index, tmp_path / "one.png", dataset="pets")
    contact_sheet(store, index, tmp_path / "two.png", dataset="pets")
    index.write_text(index.read_text() + "99/stray.png,99,,\n")
    contact_sheet(store, index, tmp_path / "stray.png", dataset="pets")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "stray.png").read_bytes()


def test_another_datasets_draw_is_another_one(tmp_path: Path) -> None:
    store, index = stored(tmp_path, pets(12, 5))
    for name in ("cats", "dogs"):
        contact_sheet(store, index, tmp_path / f"{name}.png", dataset=name)
    assert (pictures(tmp_path / "cats.png") != pictures(tmp_path / "dogs.png")).any()


def test_an_index_of_other_images_is_a_clear_error(tmp_path: Path) -> None:
    store, index = stored(tmp_path, pets(2, 3))
    index.write_text("image,class,subset,group\nother.png,x,,\n")
    with pytest.raises(UserError, match=r"no image of .*pets\.npy is in .*index\.csv"):
        contact_sheet(store, index, tmp_path / "pets.png", dataset="pets")
    assert not (tmp_path / "pets.png").exists()
