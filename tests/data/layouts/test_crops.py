"""The crops of scikit-image's pictures, on the wheel itself, where it was fetched, and on one made here."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from freeze_or_tune.data.archives import open_archives
from freeze_or_tune.data.layouts import READERS
from freeze_or_tune.data.layouts.crops import PICTURES
from freeze_or_tune.study.datasets import CROP, Crops
from freeze_or_tune.system.errors import UserError


def wheel(path: Path, sizes: dict[str, tuple[int, int]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, size in sizes.items():
            buffer = io.BytesIO()
            Image.new("RGB", size).save(buffer, "PNG")
            archive.writestr(f"skimage/data/{name}", buffer.getvalue())
    return path


def test_crops_stand_side_by_side_and_inside(tmp_path: Path) -> None:
    made = wheel(tmp_path / "w.whl", dict.fromkeys(PICTURES["textures"], (150, 101)))
    with open_archives([made]) as archive:
        listings = READERS["textures"](archive)
    assert Counter(listing.class_name for listing in listings) == dict.fromkeys(("brick", "grass", "gravel"), 6)
    seen = np.zeros((101, 150), int)
    for listing in (one for one in listings if one.class_name == "grass"):
        row, column = map(int, listing.image.rpartition("@")[2].split(","))
        assert row - CROP // 2 >= 0
        assert column - CROP // 2 >= 0
        cut = seen[row - CROP // 2 : row + CROP // 2, column - CROP // 2 : column + CROP // 2]
        assert cut.shape == (CROP, CROP)
        cut += 1
    assert seen.max() == 1


def test_a_wheel_without_the_pictures_is_refused(tmp_path: Path) -> None:
    made = wheel(tmp_path / "w.whl", {"brick.png": (100, 100)})
    with open_archives([made]) as archive, pytest.raises(UserError, match=r"has no data/grass\.png"):
        READERS["textures"](archive)


@pytest.mark.parametrize("reader", PICTURES)
def test_a_study_knows_where_they_lie_and_how_large_they_are(reader: str) -> None:
    dataset = Crops.model_validate({"reader": reader})
    assert dataset.files[0].startswith("resources/downloads/scikit-image/")
    assert (dataset.patch, dataset.smallest_class >= 48) == (CROP, True)
