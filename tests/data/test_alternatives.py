"""The same images in another form: an unpacked copy has the original's splits to the byte; the index says which."""

import csv
import hashlib
import shutil
from pathlib import Path

import pytest

from freeze_or_tune.data.index import build_index
from freeze_or_tune.data.splits import Draw
from freeze_or_tune.data.store import build_store, draw_split
from freeze_or_tune.records.findings import Findings
from freeze_or_tune.study.datasets import Published, SunParquet
from freeze_or_tune.study.opening import Opening
from freeze_or_tune.system.errors import UserError

from .conftest import plain, tarred, unpacked
from .shards import sun_shards

SUN = {
    f"SUN397/{name}/sun_{i:02d}.jpg": plain(10 * i + number)
    for number, name in enumerate(["a/abbey", "c/church/outdoor", "t/track/outdoor"])
    for i in range(12)
} | {"SUN397/c/church/outdoor/sun_bhenjvsvrtumjuri.jpg": b"cut off", "SUN397/ClassName.txt": b"/a/abbey\n"}
IMAGES = {name: data for name, data in SUN.items() if name.endswith(".jpg") and data != b"cut off"}
MIT = {f"Images/{name}/a photo {i}.jpg": plain(10 * i) for name in ("bar", "wine cellar") for i in range(8)}
LISTS = {
    "TrainImages.txt": "\n".join(name.removeprefix("Images/") for name in MIT if int(name[-5]) < 5).encode(),
    "TestImages.txt": "\n".join(name.removeprefix("Images/") for name in MIT if int(name[-5]) >= 5).encode(),
}


def opening(reader: str) -> Opening:
    """As a study with these readers has it opened."""
    published = reader != "sun397-parquet"
    dataset = Published(reader=reader, files=("f",)) if published else SunParquet(reader=reader, path="f")  # type: ignore[arg-type]
    return dataset.opening


def made(folder: Path, reader: str, *files: Path, pool: str = "all", test: int = 3) -> dict[str, bytes]:
    """Index, store and split of files, by name."""
    folder.mkdir()
    what = Draw(seed=1, n=2, val=1, test=test, pool=pool)  # type: ignore[arg-type]
    index, store = folder / "index.csv", folder / "store.npy"
    build_index(reader, files, index, None, opening=opening(reader))
    build_store(
        files,
        index,
        [what],
        dataset="d",
        size=8,
        destination=store,
        threads=1,
        opening=opening(reader),
    )
    draw_split(
        index, store.with_suffix(".rejected.csv"), folder / "split.csv", folder / "n.json", dataset="d", what=what
    )
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "index.json"}


def test_an_unpacked_copy_has_the_splits_of_the_original(tmp_path: Path) -> None:
    tar = tarred(tmp_path / "SUN397.tar", SUN)
    copy = unpacked(tmp_path / "manual", SUN) / "SUN397"
    assert made(tmp_path / "original", "sun397", tar) == made(tmp_path / "other", "sun397", copy)
    assert not Findings.read(tmp_path / "other/index.json").findings


def test_its_folder_may_be_a_link_to_a_shared_one(tmp_path: Path) -> None:
    unpacked(tmp_path / "shared", SUN)
    (tmp_path / "manual").mkdir()
    link = tmp_path / "manual/SUN397"
    link.symlink_to(tmp_path / "shared/SUN397")
    tar = tarred(tmp_path / "SUN397.tar", SUN)
    assert made(tmp_path / "original", "sun397", tar) == made(tmp_path / "other", "sun397", link)


@pytest.mark.parametrize("inside", ["SUN397", ""])
def test_that_a_copy_lies_otherwise_is_told(tmp_path: Path, inside: str) -> None:
    copy = unpacked(tmp_path / "manual", SUN) / "SUN397"
    moved = tmp_path / "sun"
    shutil.move(copy, moved / inside if inside else moved)
    build_index("sun397", [moved], tmp_path / "index.csv", None, opening=opening("sun397"))
    (finding,) = Findings.read(tmp_path / "index.json").findings
    assert (finding.kind, finding.count) == ("read", 37)
    assert "splits are drawn by their names, and are not those of the original" in finding.words


def test_an_unpacked_copy_with_its_lists_in_it(tmp_path: Path) -> None:
    unpacked(tmp_path, LISTS)
    tar = tarred(tmp_path / "indoorCVPR_09.tar", MIT)
    original = made(tmp_path / "a", "mit-indoor", tar, *(tmp_path / name for name in LISTS), pool="official", test=0)
    copy = unpacked(tmp_path / "copy/indoorCVPR_09", MIT | LISTS)
    assert original == made(tmp_path / "b", "mit-indoor", copy, pool="official", test=0)


def test_the_index_says_what_it_was_made_of(tmp_path: Path) -> None:
    tar, copy = tarred(tmp_path / "SUN397.tar", SUN), unpacked(tmp_path / "manual", SUN) / "SUN397"

    def sources(*files: Path, known: dict[str, str] | None = None) -> dict[str, str]:
        build_index("sun397", files, tmp_path / "index.csv", None, opening=opening("sun397"), known=known)
        record = Findings.read(tmp_path / "index.json")
        assert record.reader == "sun397"
        return {source.path: source.digest for source in record.files}

    digest = hashlib.sha256(tar.read_bytes()).hexdigest()
    assert sources(tar) == {str(tar): f"sha256:{digest}"}
    assert sources(tar, known={"SUN397.tar": "md5:1"}) == {str(tar): "md5:1"}
    (tmp_path / "SUN397.tar.sha256").write_text(f"{64 * 'b'}  SUN397.tar\n")
    assert sources(tar) == {str(tar): f"sha256:{64 * 'b'}"}
    first = sources(copy)[str(copy)]
    (copy / "a/abbey/sun_00.jpg").write_bytes(b"another")
    assert first.startswith("names:")
    assert sources(copy)[str(copy)] != first


def test_shards_of_the_hub_have_the_classes_of_the_original(tmp_path: Path) -> None:
    original = made(tmp_path / "original", "sun397", tarred(tmp_path / "SUN397.tar", SUN))
    other = made(tmp_path / "other", "sun397-parquet", sun_shards(tmp_path / "two", IMAGES, 2))

    def classes(split: bytes) -> list[tuple[str, ...]]:
        rows = csv.DictReader(split.decode().splitlines())
        return sorted((row["class"], row["label"], row["subset"]) for row in rows)

    assert classes(original["split.csv"]) == classes(other["split.csv"])
    assert original["split.csv"] != other["split.csv"]
    findings = Findings.read(tmp_path / "other/index.json").findings
    assert [(one.kind, one.count) for one in findings if "by its content" in one.words] == [("read", 36)]


def test_splits_of_images_without_names_do_not_depend_on_the_shards(tmp_path: Path) -> None:
    two, three = (sun_shards(tmp_path / f"{count}", IMAGES, count) for count in (2, 3))
    first, second = (made(tmp_path / f"of {one.name}", "sun397-parquet", one) for one in (two, three))
    assert first["split.csv"] == second["split.csv"]
    assert first["store.csv"] == second["store.csv"]


def test_shards_with_other_classes_are_not_sun397(tmp_path: Path) -> None:
    folder = sun_shards(tmp_path / "two", IMAGES, 2, ["abbey", "church outdoor", "track"])
    with pytest.raises(UserError, match=r"the class 'abbey' is not called as in SUN397's list, such as /c/church/out"):
        made(tmp_path / "other", "sun397-parquet", folder)
