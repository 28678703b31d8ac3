"""Parquet files as the libraries write them, in order and out of it."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from freeze_or_tune.data.archives.packed import named_part
from freeze_or_tune.data.layouts.packed import read_packed
from freeze_or_tune.data.opening import open_images
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.study.opening import Columns, Opening
from freeze_or_tune.system.errors import UserError

from ..conftest import plain
from .parquets import PICTURE, Row, held, row, written


def words(findings: list[Finding]) -> str:
    return "\n".join(map(str, findings))


@pytest.fixture
def of_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the library `datasets` writes it for the Hub: parts in shards, classes by number."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    import datasets  # noqa: PLC0415 - it takes seconds

    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    number = 0
    for part, shards in {"train": 3, "test": 1}.items():
        for shard in range(shards):
            rows = [{"bytes": plain(number + i), "path": None} for i in range(4)]
            number += 4
            table = datasets.Dataset.from_dict({"image": rows, "label": [0, 1, 0, 1]}, features=features)
            (tmp_path / "data").mkdir(exist_ok=True)
            table.to_parquet(tmp_path / f"data/{part}-{shard:05}-of-{shards:05}.parquet")
    return tmp_path / "data"


def test_what_datasets_writes_is_read_as_datasets_reads_it(of_datasets: Path, tmp_path: Path) -> None:
    import datasets  # noqa: PLC0415

    files = {part: str(of_datasets / f"{part}-*.parquet") for part in ("train", "test")}
    theirs = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    rows = [
        (table.features["label"].int2str(one["label"]), part, one["image"]["bytes"])
        for part, table in theirs.items()
        for one in table.cast_column("image", datasets.Image(decode=False))
    ]
    listed, findings = held(of_datasets)
    assert listed == sorted(rows)
    assert len(listed) == 16
    assert "Images in 4 parquet files: image from 'image.bytes', class from 'label': 16" in words(findings)
    assert "each is called by its content" in words(findings)


def test_names_do_not_depend_on_how_rows_are_spread_over_shards(tmp_path: Path) -> None:
    rows = [row(i, "ab"[i % 2]) for i in range(9)]
    written(tmp_path / "one/a.parquet", rows, 9)
    random.Random(1).shuffle(rows)
    written(tmp_path / "two/b.parquet", rows[:4], 3)
    written(tmp_path / "two/c.parquet", rows[4:], 1)
    names = [open_images(tmp_path / folder, Opening(reader="parquet")).names() for folder in ("one", "two")]
    assert names[0] == names[1]
    assert len(names[0]) == 9


@pytest.mark.parametrize(
    ("paths", "parts", "expected"),
    [
        (["1.png", "a/2.png"], ["", ""], ["1.png", "a/2.png"]),
        (["1.png", "1.png"], ["train", "test"], ["test/1.png", "train/1.png"]),
        (["1.png", "1.png"], ["train", "train"], None),
        (["1.png", None], ["", ""], None),
        (["1.png", "../2.png"], ["", ""], None),
        (["1.png", "/2.png"], ["", ""], None),
    ],
)
def test_images_keep_names_of_their_own(
    tmp_path: Path, paths: list[str | None], parts: list[str], expected: list[str] | None
) -> None:
    for number, (path, part) in enumerate(zip(paths, parts, strict=True)):
        written(tmp_path / f"{part or 'part'}-{number}.parquet", [row(number, "a", path)])
    with open_images(tmp_path, Opening(reader="parquet")) as archive:
        names = archive.names()
    assert names == expected if expected else all(len(name) == 16 for name in names)


def test_two_rows_of_the_same_bytes_are_two_images(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", [row(1, "a"), row(1, "b"), row(1, "a")])
    with open_images(path, Opening(reader="parquet")) as archive:
        names = [listing.image for listing in read_packed(archive)]
    assert [name[16:] for name in names] == ["", "-2", "-3"]


@pytest.mark.parametrize("group", [1, 7, 1000])
def test_any_order_and_many_threads_get_the_right_bytes(tmp_path: Path, group: int) -> None:
    path = written(tmp_path / "a.parquet", [row(i, "ab"[i % 2], f"{i}.png") for i in range(150)], group)
    with open_images(path, Opening(reader="parquet")) as archive:
        assert archive.in_order(archive.names()) == [f"{i}.png" for i in range(150)]
        names = [f"{i}.png" for i in range(150)]
        random.Random(0).shuffle(names)
        with ThreadPoolExecutor(4) as pool:
            for order in (archive.in_order(names), names[:40]):
                assert list(pool.map(archive.read, order)) == [plain(int(name[:-4])) for name in order]
        with pytest.raises(KeyError):
            archive.read("150.png")


LABELS: dict[str, tuple[pa.DataType, list[object], list[str]]] = {
    "numbers": (pa.int8(), [0, 10], ["0", "10"]),
    "texts": (pa.large_string(), ["01", "1"], ["01", "1"]),
    "categories": (pa.dictionary(pa.int8(), pa.string()), ["b", "a"], ["a", "b"]),
    "truths": (pa.bool_(), [True, False], ["False", "True"]),
}


@pytest.mark.parametrize("kind", LABELS)
def test_classes_are_of_any_type_that_names_them(tmp_path: Path, kind: str) -> None:
    arrow, values, classes = LABELS[kind]
    listed, _ = held(written(tmp_path / "a.parquet", [row(i, value) for i, value in enumerate(values)], label=arrow))
    assert [one[0] for one in listed] == classes


def test_images_may_be_a_column_of_bytes(tmp_path: Path) -> None:
    for kind in (pa.binary(), pa.large_binary()):
        rows = [{"id": i, "picture": plain(i), "class": "ab"[i]} for i in range(2)]
        listed, findings = held(written(tmp_path / "a.parquet", rows, picture=kind))
        assert listed == [("a", "", plain(0)), ("b", "", plain(1))]
        assert "image from 'picture', class from 'class'" in words(findings)


def test_columns_for_parts_and_groups_are_used(tmp_path: Path) -> None:
    parts = ["train", "train", "validation", "test", None]
    rows = [row(i, "ab"[i % 2], f"{i}.png", split=part, patient=i // 2) for i, part in enumerate(parts)]
    path = written(tmp_path / "a.parquet", rows)
    with open_images(path, Opening(reader="parquet", columns=Columns(group="patient"))) as archive:
        listings = read_packed(archive)
    assert [(one.subset, one.group) for one in listings] == [
        ("train", "0"),
        ("train", "0"),
        ("val", "1"),
        ("test", "1"),
    ]
    assert "Images that are in no part, where others are; they are left out: 1, such as '4.png'" in words(
        archive.findings
    )
    assert "Images in the parts that their files or a column give (train 2, val 1, test 1)" in words(archive.findings)
    with open_images(path, Opening(reader="parquet", columns=Columns(split=None))) as archive:
        assert {one.subset for one in read_packed(archive)} == {""}


def test_columns_may_be_said_by_name_or_number(tmp_path: Path) -> None:
    rows = [{"image": row(i, 0)["image"], "fine_label": i, "coarse_label": i // 2} for i in range(4)]
    path = written(tmp_path / "a.parquet", rows)
    with pytest.raises(UserError, match=r"several that may be the label \('fine_label', 'coarse_label'\); say which"):
        held(path)
    assert {one[0] for one in held(path, label="coarse_label")[0]} == {"0", "1"}
    assert {one[0] for one in held(path, label=2)[0]} == {"0", "1", "2", "3"}  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"has no 'medium', which columns\.label names; it has 'image: struct<"):
        held(path, label="medium")


REFUSED: dict[str, tuple[list[Row], dict[str, pa.DataType], str]] = {
    "no image": ([{"pixels": [1, 2], "label": 1}], {}, "nothing that is called or typed like the image"),
    "no label": ([{"image": row(1, 0)["image"], "caption": "a cat"}], {}, "nothing that is called or typed like the "),
    "several labels": ([row(1, ["a", "b"])], {}, "'label' holds several labels an image; only images of one class"),
    "real numbers": ([row(1, 0.5)], {}, "nothing that is called or typed like the label"),
    "one class": ([row(1, "a"), row(2, "a")], {}, "has 2 images, but not of two classes"),
    "paths alone": ([{"image": {"bytes": None, "path": "a.png"}, "label": 1}], {}, "'image.bytes' holds no bytes"),
    "no rows": ([], {"image": PICTURE, "label": pa.string()}, "holds no rows"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_dataset_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    rows, columns, said = REFUSED[kind]
    path = tmp_path / "a.parquet"
    if rows:
        written(path, rows)
    else:
        parquet.write_table(pa.schema(list(columns.items())).empty_table(), path)
    with pytest.raises(UserError, match=said):
        held(path)


def test_a_million_columns_are_not_all_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({f"column{i}": [i] for i in range(3000)}), path)
    with pytest.raises(UserError, match="and 2980 more") as error:
        held(path)
    assert len(str(error.value)) < 2000


def test_rows_without_an_image_or_a_class_are_left_out_and_named(tmp_path: Path) -> None:
    nothing, path_alone = {"image": None, "label": "a"}, {"image": {"bytes": None, "path": "x.png"}, "label": "a"}
    rows = [row(0, "a"), nothing, row(1, "b"), path_alone, row(2, None), row(3, "")]
    listed, findings = held(written(tmp_path / "a.parquet", rows))
    assert [one[0] for one in listed] == ["a", "b"]
    said = words(findings)
    assert "Rows without an image, or with the name of a file alone; they are left out: 2, such as 'row" in said
    assert "Images without a class; they are left out: 2" in said


def test_a_class_kept_secret_is_none(tmp_path: Path) -> None:
    """The Hub's test parts have -1."""
    info = '{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    for part, labels in {"train": [0, 1], "test": [-1, -1]}.items():
        path = written(tmp_path / f"{part}-00000-of-00001.parquet", [row(i, one) for i, one in enumerate(labels)])
        table = parquet.read_table(path)
        parquet.write_table(table.replace_schema_metadata({"huggingface": info}), path)
    listed, findings = held(tmp_path)
    assert [one[:2] for one in listed] == [("cat", ""), ("dog", "")]
    assert "Images of the part test without a class; they are left out: 2" in words(findings)


def test_files_that_are_in_no_part_are_left_out_and_named(tmp_path: Path) -> None:
    for number, name in enumerate(("train-0", "test-0", "extra-0")):
        written(tmp_path / f"{name}.parquet", [row(2 * number, "a"), row(2 * number + 1, "b")])
    listed, findings = held(tmp_path)
    assert [one[:2] for one in listed] == [("a", "test"), ("a", "train"), ("b", "test"), ("b", "train")]
    assert "Files that are none of the parts train, val and test that others are; they are left out: 1" in words(
        findings
    )


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("data/train-00000-of-00004.parquet", "train"), ("validation/0000.parquet", "val"), ("x/TEST.parquet", "test"),
        ("my_dev_2.parquet", "val"), ("latest.parquet", ""), ("trainer-0.parquet", ""), ("train/test.parquet", "test"),
        ("train_test.parquet", ""), ("eval/a.parquet", "test"),
    ],
)  # fmt: skip
def test_parts_are_told_by_names_as_the_hub_does(name: str, part: str) -> None:
    assert named_part(name) == part


def test_files_of_two_datasets_are_not_mixed(tmp_path: Path) -> None:
    written(tmp_path / "a.parquet", [row(0, "a")])
    written(tmp_path / "b.parquet", [{"picture": plain(1), "label": "b"}])
    with pytest.raises(UserError, match="have other columns"):
        held(tmp_path)


def test_links_out_of_a_folder_are_followed_if_asked(tmp_path: Path) -> None:
    written(tmp_path / "elsewhere.parquet", [row(0, "a"), row(1, "b")])
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/train.parquet").symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(UserError, match="1 links out of it are not followed; follow_links: true does"):
        held(tmp_path / "folder")
    with open_images(tmp_path / "folder", Opening(reader="parquet", follow_links=True)) as archive:
        assert len(read_packed(archive)) == 2
