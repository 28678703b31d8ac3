from collections.abc import Sequence

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.own.parting import parted
from freeze_or_tune.data.splits import Row
from freeze_or_tune.study.settings import Advising


def images(name: str, subset: str, count: int, group: str = "") -> list[Listing]:
    return [Listing(f"{subset}/{name}/{i}{group}", name, subset, group) for i in range(count)]


def said(*listings: Sequence[Listing]) -> tuple[list[Row], dict[str, list[str]]]:
    rows, findings = parted([one for part in listings for one in part], dataset="d", seed=0, shares=Advising())
    told: dict[str, list[str]] = {}
    for finding in findings:
        told.setdefault(finding.kind, []).append(str(finding))
    return rows, told


def test_given_parts_are_kept_and_whole_ones_need_no_word() -> None:
    parts = [images(name, subset, count) for name in "ab" for subset, count in (("train", 6), ("val", 2), ("test", 3))]
    rows, told = said(*parts)
    assert told == {}
    assert all(row.image.startswith(f"{row.subset}/") for row in rows)


def test_what_is_drawn_and_what_has_no_part_is_said() -> None:
    rows, told = said(images("a", "train", 10), images("b", "train", 10), images("a", "test", 3), images("b", "", 5))
    assert told["read"] == [
        "Images to validate on, drawn from those that train: the given parts have none: 5",
        "Images without a part, where others have one; they train: 5, such as '/b/0', '/b/1', '/b/2'",
    ]
    assert told["missing"] == [
        "Classes that train, but have no image to test on: the accuracy says nothing of them: 1, such as 'b'"
    ]
    assert {row.image for row in rows if row.subset == "test"} == {f"test/a/{i}" for i in range(3)}


def test_a_training_part_alone_is_parted_like_a_folder() -> None:
    rows, told = said(images("a", "train", 10), images("b", "train", 10))
    assert [words.partition(",")[0] for words in told["read"]] == ["Images to validate on", "Images to test on"]
    assert sum(row.subset == "test" for row in rows) == 4


def test_groups_that_cross_given_parts_stay_where_they_are_and_are_told() -> None:
    crossing = [images("a", subset, 2, "g") for subset in ("train", "test")]
    held = [images(name, subset, 5) for name in "ab" for subset in ("train", "val", "test")]
    rows, told = said(*crossing, *held, images("b", "val", 1, "h"), images("b", "train", 1, "h"))
    assert [words.split(":")[-1] for words in told["crossing"]] == [
        " 2, such as 'test/a/0g', 'test/a/1g'",
        " 1, such as 'val/b/0h'",
    ]
    assert all(row.image.startswith(f"{row.subset}/") for row in rows)


def test_a_class_of_one_scene_trains_and_one_of_two_does_not_validate() -> None:
    rows, told = said(images("a", "", 9), images("b", "", 9, "only"), images("c", "", 4, "x"), images("c", "", 5, "y"))
    assert {row.subset for row in rows if row.class_name == "b"} == {"train"}
    assert {row.subset for row in rows if row.class_name == "c"} == {"train", "test"}
    words = "(all else are near copies or of its group), too few to train, validate and test on: 1, such as"
    assert told["scenes"] == [
        f"Classes of only 1 scene {words} 'b'", f"Classes of only 2 different scenes {words} 'c'"
    ]  # fmt: skip
    assert [words[-3:] for words in told["missing"]] == ["'b'", "'c'"]
