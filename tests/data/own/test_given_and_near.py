"""What the check makes of given parts, of groups and of near copies, from images to the split."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from freeze_or_tune.data.index import build_index, read_index
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.own.checking import check_images
from freeze_or_tune.data.own.folds import FOLDS, draw_fold
from freeze_or_tune.data.splits import Row, read_split
from freeze_or_tune.data.store import build_store
from freeze_or_tune.records.advice import Check
from freeze_or_tune.study.settings import Advising
from freeze_or_tune.system.csv_files import write_table
from freeze_or_tune.system.errors import UserError

DIGITS = load_digits()
Given = dict[str, tuple[str, str]]
"""Part and group of images whose reader knows them."""


def digit(kind: int, number: int) -> Image.Image:
    grey = (DIGITS.images[DIGITS.target == kind][number] * 15.9).astype("uint8")
    return Image.fromarray(grey).resize((64, 64), Image.Resampling.BILINEAR).convert("RGB")


def noisy(image: Image.Image, seed: int) -> Image.Image:
    pixels = np.asarray(image).astype(int) + np.random.default_rng(seed).integers(-3, 4, (64, 64, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def bursts(classes: int = 3, each: int = 5, shots: int = 5) -> dict[str, Image.Image]:
    """So many scenes of each class, each in so many shots."""
    return {
        f"class{kind}/burst{burst}_{shot}.png": noisy(digit(kind, burst), 100 * kind + 10 * burst + shot)
        for kind in range(classes)
        for burst in range(each)
        for shot in range(shots)
    }


def checked(
    images: dict[str, Image.Image], out: Path, given: Given | None = None, near_copies: bool = True
) -> tuple[Check, list[Row]]:
    for name, image in images.items():
        (out / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(out / "images" / name)
    index, store, folder = out / "index.csv", out / "store.npy", out / "images"
    build_index("folder", [folder], index, None)
    listings = [
        Listing(one.image, one.class_name, *(given or {}).get(one.image, ("", ""))) for one in read_index(index)
    ]
    write_table(
        index, ("image", "class", "subset", "group"), [(o.image, o.class_name, o.subset, o.group) for o in listings]
    )
    build_store([folder], index, None, dataset="x", size=64, destination=store, threads=1)
    check_images(
        index, out / "index.json", store, out / "check.json", out / "split.csv", dataset="x", seed=0,
        shares=Advising(near_copies=near_copies),
    )  # fmt: skip
    return Check.read(out / "check.json"), read_split(out / "split.csv", 0, 0, 0, pool="shares")


def crossing(rows: list[Row]) -> int:
    """Bursts in several subsets."""
    subsets: dict[str, set[str]] = {}
    for row in rows:
        subsets.setdefault(row.image.rpartition("_")[0], set()).add(row.subset)
    return sum(len(found) > 1 for found in subsets.values())


def told(check: Check, kind: str) -> list[str]:
    return [str(finding) for finding in check.findings if finding.kind == kind]


def test_no_burst_lies_in_two_subsets_nor_on_two_sides_of_a_fold(tmp_path: Path) -> None:
    check, rows = checked(bursts(), tmp_path)
    assert (check.groups, check.near_copies) == (15, 75)
    assert Counter(row.subset for row in rows) == {"train": 45, "val": 15, "test": 15}
    assert crossing(rows) == 0
    for fold in range(FOLDS):
        drawn = draw_fold(rows, fold, dataset="x", seed=0, val=0.25)
        assert {row.subset for row in drawn} == {"train", "val", "test"}
        assert crossing(drawn) == 0
    assert told(check, "near")[0].startswith(
        "Images that nearly equal others of their class, in 15 groups of up to 5 (shots of a burst, frames, other "
        "encodings); each group is kept in one part: 75, such as 'class0/burst0_0.png'"
    )


def test_near_copies_are_not_looked_for_where_nobody_wants_it(tmp_path: Path) -> None:
    check, rows = checked(bursts(), tmp_path, near_copies=False)
    assert (check.groups, check.near_copies, told(check, "near")) == (0, 0, [])
    assert crossing(rows) > 10


def test_given_groups_and_near_copies_are_joined(tmp_path: Path) -> None:
    """Two bursts of a class that are of one patient."""
    given = {f"class0/burst{burst}_{shot}.png": ("", "patient") for burst in (0, 1) for shot in (0, 4)}
    check, rows = checked(bursts(), tmp_path, given)
    assert check.groups == 14
    patient = {row.subset for row in rows if row.image.startswith(("class0/burst0", "class0/burst1"))}
    assert len(patient) == 1
    assert {row.group for row in rows if row.image.startswith("class0/burst1")} == {"patient"}


def test_near_copies_across_given_parts_stay_and_are_said(tmp_path: Path) -> None:
    """Of each burst the first three shots train, the fourth validates, the last tests: the accuracy is flattered."""
    parts = ("train", "train", "train", "val", "test")
    given = {name: (parts[int(name[-5])], "") for name in bursts()}
    check, rows = checked(bursts(), tmp_path, given)
    assert {row.image: row.subset for row in rows} == {name: part for name, (part, _) in given.items()}
    assert (check.train, check.val, check.test) == (45, 15, 15)
    flattered, chosen = told(check, "crossing")
    assert flattered.startswith("Test images that nearly equal images of the other given parts, or are of one group")
    assert "the accuracy is flattered: 15, such as" in flattered
    assert "may be chosen wrongly: 15, such as" in chosen


def test_of_equal_images_the_one_that_tests_is_kept(tmp_path: Path) -> None:
    images = {f"{kind}/{number}.png": digit(kind, number) for kind in (0, 1) for number in range(9)}
    images |= {"0/0 again.png": digit(0, 0), "0/0 too.png": digit(0, 0)}
    given = {name: ("test" if name[2] in "78" else "train", "") for name in images}
    given |= {"0/0 again.png": ("val", ""), "0/0 too.png": ("test", ""), "1/1.png": ("val", "")}
    check, rows = checked(images, tmp_path, given)
    assert told(check, "copies")[0].endswith("one of each is kept: 2, such as '0/0 again.png', '0/0.png'")
    assert {row.subset for row in rows if row.image == "0/0 too.png"} == {"test"}


def test_a_class_that_only_tests_is_left_out_and_one_that_only_trains_is_used(tmp_path: Path) -> None:
    images = {f"{kind}/{number}.png": digit(kind, number) for kind in range(4) for number in range(6)}
    given = {name: ("test" if name[0] == "3" else "train" if name[0] == "2" or name[2] in "0123" else "test", "")
             for name in images}  # fmt: skip
    check, rows = checked(images, tmp_path, given)
    assert told(check, "untaught") == [
        "Classes without an image that trains in the given parts; they are left out: 1, such as '3'"
    ]
    assert check.used_classes == 3
    assert {row.subset for row in rows if row.class_name == "2"} == {"train", "val"}
    assert told(check, "missing") == [
        "Classes that train, but have no image to test on: the accuracy says nothing of them: 1, such as '2'"
    ]


def test_a_picture_in_two_classes_but_for_noise_is_used_and_said(tmp_path: Path) -> None:
    images = {f"{kind}/{number}.png": digit(kind, number) for kind in (0, 1) for number in range(9)}
    check, rows = checked(images | {"1/a zero.png": noisy(digit(0, 3), 0)}, tmp_path)
    assert told(check, "doubtful") == [
        "Images that nearly equal one of another class; they are used: see that their labels are right: 2, such as "
        "'0/3.png', '1/a zero.png'"
    ]
    assert (len(rows), check.groups) == (19, 0)


def test_one_scene_a_class_cannot_be_tested_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        checked(bursts(each=1), tmp_path)
    message = str(error.value)
    assert message.startswith(
        "dataset 'x': no image is left to test on, because no class shows enough different scenes"
    )
    assert "say advice: {near_copies: false}" in message
    assert "Classes of only 1 scene" in message
    assert not (tmp_path / "split.csv").exists()
    checked(bursts(each=1), tmp_path, near_copies=False)


def test_parts_that_hold_nothing_to_train_on_are_an_error(tmp_path: Path) -> None:
    images = {f"{kind}/{number}.png": digit(kind, number) for kind in (0, 1) for number in range(4)}
    with pytest.raises(UserError, match=r"(?s)no classes can be learnt, .*Classes without an image that trains"):
        checked(images, tmp_path, dict.fromkeys(images, ("test", "")))
