"""Tars as the library `webdataset` writes them, and as nobody should."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.data.archives.samples import sample_of
from freeze_or_tune.data.archives.webdataset import WebDatasetArchive
from freeze_or_tune.data.layouts.packed import read_packed
from freeze_or_tune.data.opening import open_images
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.study.opening import Columns, Opening
from freeze_or_tune.system.errors import UserError

from ..conftest import plain, tarred

Sample = dict[str, Any]


def shard(path: Path, samples: list[Sample]) -> Path:
    """Write samples with the library's own writer."""
    import webdataset  # noqa: PLC0415 - it takes a while

    path.parent.mkdir(parents=True, exist_ok=True)
    with webdataset.TarWriter(str(path)) as writer:
        for sample in samples:
            writer.write(sample)
    return path


def held(path: Path, **columns: str) -> tuple[list[tuple[str, str, bytes]], list[Finding]]:
    """(class, part, bytes) of all that is listed, sorted, and what was noticed."""
    with open_images(path, Opening(reader="webdataset", columns=Columns(**columns)), path.parent) as archive:
        listings = read_packed(archive)
        return sorted((one.class_name, one.subset, archive.read(one.image)) for one in listings), archive.findings


def words(findings: list[Finding]) -> str:
    return "\n".join(map(str, findings))


def test_what_webdataset_writes_is_read_as_webdataset_reads_it(tmp_path: Path) -> None:
    import webdataset  # noqa: PLC0415

    pattern = str(tmp_path / "train-%06d.tar")
    with webdataset.ShardWriter(pattern, maxcount=4, verbose=0) as writer:
        for number in range(10):
            writer.write({"__key__": f"a/{number:04}", "jpg": plain(number), "cls": number % 3, "json": {"x": 1}})
    shards = sorted(map(str, tmp_path.glob("*.tar")))
    theirs = webdataset.WebDataset(shards, shardshuffle=False)
    listed, findings = held(tmp_path)
    assert listed == sorted((one["cls"].decode(), "", one["jpg"]) for one in theirs)
    assert len(shards) == 3
    assert len(listed) == 10
    assert "Images in 3 tars of a WebDataset, their classes from files .cls: 10" in words(findings)


def test_it_is_read_as_datasets_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    import datasets  # noqa: PLC0415

    folder = tmp_path / "shards"
    for part in ("train", "test"):
        samples = [{"__key__": f"{part}{i}", "png": plain(i), "json": {"label": "ab"[i % 2]}} for i in range(4)]
        shard(folder / f"{part}-0000.tar", samples)
    files = {part: str(folder / f"{part}-*.tar") for part in ("train", "test")}
    theirs = datasets.load_dataset("webdataset", data_files=files, cache_dir=str(tmp_path / "cache"))
    listed, findings = held(folder)
    assert listed == sorted(
        (one["json"]["label"], part, one["png"]["bytes"])
        for part, table in theirs.items()
        for one in table.cast_column("png", datasets.Image(decode=False))
    )
    assert "their classes from 'label' of .json files: 8" in words(findings)


NAMES = st.text("ab./_", min_size=1, max_size=12) | st.from_regex(r"\A(__[a-z]{0,3}__/?|[a-z/]{0,4})[a-z.\n]{0,6}\Z")


@given(NAMES)
def test_names_are_parted_as_webdataset_parts_them(name: str) -> None:
    from webdataset.tariterators import base_plus_ext  # noqa: PLC0415

    key, ending = sample_of(name)
    theirs = base_plus_ext(name)
    if key:
        assert (key, ending) == (theirs[0], theirs[1].lower())
    else:
        assert theirs[0] is None or name.startswith("__") or "\n" in name


def encoded(values: Mapping[str, object]) -> bytes:
    return json.dumps(values).encode()


def cls(label: str) -> bytes:
    return label.encode()


TWO = {"0.png": plain(0), "0.cls": cls("a"), "1.png": plain(1), "1.cls": cls("b")}


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tgz"])
def test_one_tar_is_read_gzipped_or_not(tmp_path: Path, suffix: str) -> None:
    path = tarred(tmp_path / "all.tar", TWO)
    data = path.read_bytes()
    path.unlink()
    there = tmp_path / f"all{suffix}"
    there.write_bytes(data if suffix == ".tar" else gzip.compress(data))
    assert held(there)[0] == [("a", "", plain(0)), ("b", "", plain(1))]


def test_keys_that_stand_in_several_tars_lose_nothing(tmp_path: Path) -> None:
    for number in range(2):
        images = {f"{i}.png": plain(1 + i + 2 * number) for i in range(2)}
        tarred(tmp_path / f"{number}.tar", TWO | images)
    listed, findings = held(tmp_path)
    assert [one[0] for one in listed] == ["a", "a", "b", "b"]
    assert len({one[2] for one in listed}) == 4
    assert "Images of which several have one name; each is called by its content (its SHA-256): 4" in words(findings)


def test_keys_that_stand_once_in_each_part_keep_their_names(tmp_path: Path) -> None:
    for part in ("train", "test"):
        tarred(tmp_path / f"{part}.tar", TWO)
    with open_images(tmp_path, Opening(reader="webdataset")) as archive:
        assert archive.names() == ["test/0.png", "test/1.png", "train/0.png", "train/1.png"]


KEYS = {
    "label": ({"label": 3, "caption": "x"}, "3"),
    "cls": ({"cls": "a", "id": 7}, "a"),
    "Class": ({"Class": True}, "True"),
    "label beside others": ({"label": "01", "class_name": "one"}, "01"),
}


@pytest.mark.parametrize("kind", KEYS)
def test_the_class_stands_in_a_json(tmp_path: Path, kind: str) -> None:
    told, expected = KEYS[kind]
    other = dict.fromkeys(told, "other")
    files = {"0.png": plain(0), "0.json": encoded(told), "1.png": plain(1), "1.json": encoded(other)}
    assert sorted({one[0] for one in held(tarred(tmp_path / "a.tar", files))[0]}) == sorted([expected, "other"])


def told(**values: object) -> Mapping[str, bytes]:
    return {"0.png": plain(0), "0.json": encoded(values)}


REFUSED: dict[str, tuple[Mapping[str, bytes], str]] = {
    "no labels": ({"0.png": plain(0), "0.txt": b"a cat"}, r"neither in \.cls nor in \.json; beside them are \.txt"),
    "two keys": (told(cls_a=1, fine_label=1, coarse_label=2), r"\('fine_label', 'coarse_label'\); say which"),
    "no key": (told(caption="a cat"), "nothing that is called or typed like the label; say which with"),
    "several labels": (told(label=[1, 2]), "0.png: its .json holds several values under 'label'"),
    "no images": ({"0.cls": b"1", "1.cls": b"2"}, "holds no samples with one image each"),
    "one class": ({"0.png": plain(0), "0.cls": b"1"}, "has 1 images, but not of two classes"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_dataset_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    files, said = REFUSED[kind]
    with pytest.raises(UserError, match=said):
        held(tarred(tmp_path / "a.tar", files))


def test_where_the_class_stands_may_be_said(tmp_path: Path) -> None:
    files = {"0.png": plain(0), "0.txt": b"cat\n", "1.png": plain(1), "1.txt": b"dog"}
    assert [one[0] for one in held(tarred(tmp_path / "a.tar", files), label="txt")[0]] == ["cat", "dog"]
    more = {"0.png": plain(0), "0.json": encoded({"x": 0, "who": 7, "split": "train"})}
    more |= {"1.png": plain(1), "1.json": encoded({"x": 1, "who": 8, "split": "val"})}
    opening = Opening(reader="webdataset", columns=Columns(label="x", group="who"))
    with open_images(tarred(tmp_path / "b.tar", more), opening) as archive:
        assert isinstance(archive, WebDatasetArchive)
        listed = [(image.label, image.part, image.group) for image in archive.images()]
    assert listed == [("0", "train", "7"), ("1", "val", "8")]


def test_a_list_of_classes_beside_the_tars_names_their_numbers(tmp_path: Path) -> None:
    tarred(tmp_path / "a.tar", {"0.png": plain(0), "0.cls": b"0", "1.png": plain(1), "1.cls": b"1"})
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert [one[0] for one in held(tmp_path)[0]] == ["cat", "dog"]
    (tmp_path / "classes.txt").write_text("cat\n")  # not of these numbers
    assert [one[0] for one in held(tmp_path)[0]] == ["0", "1"]


def test_samples_that_are_not_whole_are_left_out_and_named(tmp_path: Path) -> None:
    files = TWO | {
        "2.png": plain(2),  # no label
        "3.cls": b"a",  # no image
        "4.left.png": plain(4), "4.right.png": plain(5), "4.cls": b"a",
        "5.png": plain(6), "5.mask.png": plain(7), "5.cls": b"a",  # the mask is another file of the sample
        "6.png": plain(8), "6.cls": b"\xff",
        "__meta__": b"", "README": b"", "._0.png": b"of a Mac",
    }  # fmt: skip
    listed, findings = held(tarred(tmp_path / "a.tar", files))
    assert [one[2] for one in listed] == [plain(0), plain(6), plain(1)]
    said = words(findings)
    assert "Files of samples with no image, or with several; they are left out: 6, such as 'a.tar/3.cls'" in said
    assert "Images without a class; they are left out: 2, such as '2.png', '6.png'" in said
    assert "Images whose label cannot be read; they are left out: 1, such as '6.png'" in said


def test_what_leads_out_of_a_tar_is_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in (TWO | {"../2.png": plain(2), "../2.cls": b"a", "/3.png": plain(3)}).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("4.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        for data in (b"first", b"last"):
            member = tarfile.TarInfo("0.txt")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    with open_images(path, Opening(reader="webdataset")) as archive:
        assert archive.names() == ["0.png", "1.png"]
        assert archive.left_out == ("a.tar/../2.cls", "a.tar/../2.png", "a.tar//3.png", "a.tar/4.png")
        assert "Files whose name stands twice in a tar; the last one counts" in words(archive.findings)


def test_a_damaged_tar_is_refused_in_words(tmp_path: Path) -> None:
    whole = tarred(tmp_path / "a.tar", TWO).read_bytes()
    for data in (whole[:700], whole[:100], b"", gzip.compress(whole)[:-20], b"\x1f\x8b" + whole):
        (tmp_path / "a.tar").write_bytes(data)
        with pytest.raises(UserError, match=r"a\.tar (is not a readable tar|cannot be decompressed)"):
            held(tmp_path / "a.tar")


def test_a_gzip_that_grows_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freeze_or_tune.data.archives.tars.ALWAYS_ALLOWED", 1 << 20)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(bytes(1 << 24)))
    with pytest.raises(UserError, match="too many for its size"):
        held(tmp_path / "a.tar.gz")


def test_of_a_thousand_tars_not_all_are_open(tmp_path: Path) -> None:
    for number in range(5):
        tarred(tmp_path / f"{number}.tar", {f"{number}{name}": data for name, data in TWO.items()})
    before = len(list(Path("/proc/self/fd").iterdir()))
    with open_images(tmp_path, Opening(reader="webdataset")) as archive:
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        assert archive.read("30.png") == plain(0)
