"""The reader of ILSVRC2012 on archives of its real layout: a tar of tars, a flat tar, and the devkit's tables."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.system.errors import UserError

from ..conftest import empty, read, tarred, unpacked

# The devkit's own ids are not in the order of WordNet ids, and synsets with children come after the 1,000.
SYNSETS = [(1, "n02119789", 0), (2, "n01440764", 0), (3, "n02105855", 0), (1001, "n00001930", 2)]


def devkit(folder: Path, truth: bytes, synsets: Iterable[tuple[int, str, int]] = SYNSETS) -> Path:
    rows = [
        (number, wnid, "words", "gloss", children, np.arange(children, dtype=float), 0, 1300)
        for number, wnid, children in synsets
    ]
    names = (
        "ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images",
    )  # fmt: skip
    table = np.empty((len(rows), 1), dtype=[(name, object) for name in names])
    for i, row in enumerate(rows):
        table[i, 0] = row
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"synsets": table}, do_compression=True)
    root = "ILSVRC2012_devkit_t12"
    return tarred(
        folder / "ILSVRC2012_devkit_t12.tar",
        {
            f"{root}/data/meta.mat": buffer.getvalue(),
            f"{root}/data/ILSVRC2012_validation_ground_truth.txt": truth,
            f"{root}/readme.txt": b"",
        },
    )


def ilsvrc(folder: Path) -> tuple[Path, Path]:
    classes = {
        "n01440764": empty("n01440764_10026.JPEG", "n01440764_18.JPEG"),
        "n02105855": empty("n02105855_2933.JPEG"),
        "n02119789": empty("n02119789_1.JPEG"),
    }
    inner = {f"{name}.tar": tarred(folder / "inner", files).read_bytes() for name, files in classes.items()}
    val = empty(*(f"ILSVRC2012_val_{i:08d}.JPEG" for i in (1, 2, 3)))
    return tarred(folder / "ILSVRC2012_img_train.tar", inner), tarred(folder / "ILSVRC2012_img_val.tar", val)


def test_ilsvrc(tmp_path: Path) -> None:
    train, val = ilsvrc(tmp_path)
    listings = read("ilsvrc2012", train, val, devkit(tmp_path, b"2\n3\n2\n"))
    assert listings == [
        Listing("ILSVRC2012_img_train/n01440764/n01440764_10026.JPEG", "n01440764", "train"),
        Listing("ILSVRC2012_img_train/n01440764/n01440764_18.JPEG", "n01440764", "train"),
        Listing("ILSVRC2012_img_train/n02105855/n02105855_2933.JPEG", "n02105855", "train"),
        Listing("ILSVRC2012_img_train/n02119789/n02119789_1.JPEG", "n02119789", "train"),
        Listing("ILSVRC2012_img_val/ILSVRC2012_val_00000001.JPEG", "n01440764", "test"),
        Listing("ILSVRC2012_img_val/ILSVRC2012_val_00000002.JPEG", "n02105855", "test"),
        Listing("ILSVRC2012_img_val/ILSVRC2012_val_00000003.JPEG", "n01440764", "test"),
    ]


def test_ilsvrc_without_validation_needs_no_devkit(tmp_path: Path) -> None:
    train, val = ilsvrc(tmp_path)
    assert {listing.subset for listing in read("ilsvrc2012", train)} == {"train"}
    with pytest.raises(UserError, match=r"has no data/meta\.mat, which ILSVRC2012 \(its devkit_t12 holds it\) needs"):
        read("ilsvrc2012", train, val)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (b"1\n2\n", "has 2 lines, but there is a validation image 3"),
        (b"1\n2\nx\n", "line 3: 'x' is no id of meta.mat's classes"),
        (b"1\n1001\n3\n", "line 2: '1001' is no id of meta.mat's classes"),
    ],
)
def test_damaged_devkit(tmp_path: Path, truth: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read("ilsvrc2012", *ilsvrc(tmp_path), devkit(tmp_path, truth))


def test_a_devkit_whose_table_is_none(tmp_path: Path) -> None:
    kit = unpacked(tmp_path / "kit", {"data/meta.mat": b"MATLAB" * 50})
    with pytest.raises(UserError, match=r"meta\.mat in .* is not the devkit's table of classes"):
        read("ilsvrc2012", *ilsvrc(tmp_path), kit)
