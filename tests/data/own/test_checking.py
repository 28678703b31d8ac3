"""Folders as people have them, and folders that mean harm: what is said of them, and what is left."""

import os
import shutil
import struct
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from freeze_or_tune.data.index import build_index
from freeze_or_tune.data.own.checking import check_images
from freeze_or_tune.data.splits import Row, read_split
from freeze_or_tune.data.store import build_store
from freeze_or_tune.records.advice import Check
from freeze_or_tune.study.opening import Opening
from freeze_or_tune.study.settings import Advising
from freeze_or_tune.system.errors import UserError

from ..conftest import encoded, plain, tarred, unpacked

SHARES = Advising()


def pets(*names: str, images: int = 5) -> dict[str, bytes]:
    """So many different images of each class."""
    return {f"{name}/{i}.png": plain(40 * number + i) for number, name in enumerate(names) for i in range(images)}


def checked(images: Path, out: Path, reader: str = "folder", *, follow_links: bool = False) -> tuple[Check, list[Row]]:
    """Index, store and check, as the workflow does."""
    opening = Opening(follow_links=follow_links)
    build_index(reader, [images], out / "index.csv", None, opening=opening)
    build_store(
        [images], out / "index.csv", None, dataset="pets", size=4, destination=out / "store.npy", threads=2,
        opening=opening,
    )  # fmt: skip
    check_images(
        out / "index.csv", out / "index.json", out / "store.npy", out / "check.json", out / "split.csv",
        dataset="pets", seed=0, shares=SHARES,
    )  # fmt: skip
    return Check.read(out / "check.json"), read_split(out / "split.csv", 0, 0, 0, pool="shares")


def said(check: Check) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Findings but those of small numbers, which all these folders have."""
    rough = ("validation", "test")
    return {found.kind: (found.count, found.examples) for found in check.findings if found.kind not in rough}


def refused(images: Path, out: Path, reader: str = "folder") -> str:
    with pytest.raises(UserError) as error:
        checked(images, out, reader)
    assert not (out / "split.csv").exists()
    assert not (out / "check.json").exists()
    return str(error.value)


def folder(root: Path, files: Mapping[str, bytes]) -> Path:
    (root / "my pets").mkdir()
    return unpacked(root / "my pets", files)


def bomb(side: int = 30_000) -> bytes:
    """A whole PNG of side x side black pixels: 900 million in 110 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@contextmanager
def unprivileged() -> Iterator[None]:
    """As somebody whom permissions bind."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_clean_folder_is_used_whole(tmp_path: Path) -> None:
    check, rows = checked(folder(tmp_path, pets("cat", "dog", images=10)), tmp_path)
    assert said(check) == {}
    assert (check.images, check.used_images, check.classes, check.used_classes) == (20, 20, 2, 2)
    assert (check.train, check.val, check.test) == (12, 4, 4)
    assert (check.smallest, check.typical, check.largest) == (6, 6, 6)
    assert len(rows) == 20


def test_what_is_wrong_is_counted_with_examples_and_the_rest_is_used(tmp_path: Path) -> None:
    files = pets("cat", "dog") | {
        "cat/torn.png": plain(1)[:50], "cat/again.png": plain(2), "dog/a cat.png": plain(3), "bird/one.png": plain(250),
        "cat/photo.nef": b"x", "notes.txt": b"x", "cat/.hidden.png": b"x", "cat/Thumbs.db": b"x",
        ".git/cat.png": b"x", "__MACOSX/cat/._1.png": b"x",
    }  # fmt: skip
    check, rows = checked(folder(tmp_path, files), tmp_path)
    assert said(check) == {
        "ignored": (2, ("'cat/photo.nef'", "'notes.txt'")),
        "unreadable": (1, ("'cat/torn.png'",)),
        "copies": (1, ("'cat/again.png'",)),
        "contradictions": (2, ("'cat/3.png'", "'dog/a cat.png'")),
        "small": (1, ("'bird'",)),
    }
    assert {row.image for row in rows} == pets("cat", "dog").keys() - {"cat/3.png"}
    (unreadable,) = (found.words for found in check.findings if found.kind == "unreadable")
    assert ".rejected.csv says why" in unreadable
    assert (check.images, check.used_images, check.classes, check.used_classes) == (14, 9, 3, 2)


def test_classes_of_very_different_sizes_are_pointed_out(tmp_path: Path) -> None:
    check, _ = checked(
        folder(tmp_path, pets("cat", images=30) | {f"dog/{i}.png": plain(99 + i) for i in range(4)}), tmp_path
    )
    (found,) = (found for found in check.findings if found.kind == "imbalance")
    assert str(found) == "Training images of the largest class, against 2 of the smallest, 'dog': 18"


def test_few_held_out_images_are_pointed_out_and_many_are_not(tmp_path: Path) -> None:
    kinds = [found.kind for found in checked(folder(tmp_path, pets("cat", "dog")), tmp_path)[0].findings]
    assert kinds == ["validation", "test"]


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "holds no images; it needs one folder of images a class" in refused(folder(tmp_path, {}), tmp_path)


def test_one_class(tmp_path: Path) -> None:
    assert "holds only one folder of images" in refused(folder(tmp_path, pets("cat")), tmp_path)


@pytest.mark.slow
def test_ten_thousand_classes_of_one_image(tmp_path: Path) -> None:
    files = {f"{i:05}/x.png": plain(i % 250, side=1 + i // 250) for i in range(10_000)}
    message = refused(folder(tmp_path, files), tmp_path)
    assert message.startswith("dataset 'pets': no classes can be learnt, but it takes two with 3 different images each")
    assert "they are left out: 10,000, such as '00000', '00001', '00002'" in message


def test_only_copies(tmp_path: Path) -> None:
    message = refused(
        folder(tmp_path, {f"{name}/{i}.png": plain(7) for name in ("a", "b") for i in range(9)}), tmp_path
    )
    assert "Images that stand in several classes at once; they are left out of all: 18" in message


def test_nothing_readable(tmp_path: Path) -> None:
    message = refused(folder(tmp_path, {"a/x.png": b"x", "b/x.png": b"x"}), tmp_path)
    assert "none of its 2 images can be read" in message


@pytest.mark.slow
def test_an_image_of_900_million_pixels_is_left_out(tmp_path: Path) -> None:
    check, rows = checked(folder(tmp_path, pets("cat", "dog") | {"cat/bomb.png": bomb()}), tmp_path)
    assert said(check) == {"unreadable": (1, ("'cat/bomb.png'",))}
    assert len(rows) == 10


def test_links_are_followed_inside_the_folder_only(tmp_path: Path) -> None:
    images = folder(tmp_path, pets("cat", "dog"))
    (tmp_path / "secret.png").write_bytes(plain(200))
    (images / "cat/inside.png").symlink_to(images / "dog/0.png")
    (images / "cat/outside.png").symlink_to(tmp_path / "secret.png")
    (images / "cat/round.png").symlink_to("round.png")
    (images / "bird").symlink_to(tmp_path)
    check, _ = checked(images, tmp_path)
    assert said(check) == {
        "links": (3, ("'bird'", "'cat/outside.png'", "'cat/round.png'")),
        "contradictions": (2, ("'cat/inside.png'", "'dog/0.png'")),
    }


def test_a_folder_of_links_says_why_nothing_is_found(tmp_path: Path) -> None:
    images = folder(tmp_path, {})
    unpacked(tmp_path / "elsewhere", pets("cat", "dog"))
    for name in ("cat", "dog"):
        (images / name).symlink_to(tmp_path / "elsewhere" / name)
    message = refused(images, tmp_path)
    assert (
        "holds no images; it needs one folder of images a class. What was found:\n  Links out of the folder" in message
    )
    assert (
        "read with --follow-links, --config images='{path: ..., follow_links: true}' or follow_links: true in"
        in message
    )
    assert message.endswith(": 2, such as 'cat', 'dog'")
    _, rows = checked(images, tmp_path, follow_links=True)
    assert {row.image for row in rows} == pets("cat", "dog").keys()


def test_names_may_hold_anything(tmp_path: Path) -> None:
    names = ["a cat 🐈", "line\nbreak", 'quote", comma', os.fsdecode(b"latin \xe9")]
    files = pets(*names) | {f"{names[1]}/torn\n.png": b"x", f"{names[3]}/torn \udce9.png": b"x"}
    check, rows = checked(folder(tmp_path, files), tmp_path)
    assert said(check)["unreadable"] == (2, (repr("latin \udce9/torn \udce9.png"), repr("line\nbreak/torn\n.png")))
    assert {row.image for row in rows} == pets(*names).keys()
    assert {row.class_name for row in rows} == set(names)


def test_a_file_without_permission_is_left_out_and_a_folder_without_is_an_error() -> None:
    # Not in pytest's folder, which is closed to others.
    root = Path(tempfile.mkdtemp())
    root.chmod(0o777)
    try:
        with unprivileged():
            images = folder(root, pets("cat", "dog"))
            (images / "cat/0.png").chmod(0)
            check, _ = checked(images, root)
            assert said(check) == {"unreadable": (1, ("'cat/0.png'",))}
            assert "Permission denied" in (root / "store.rejected.csv").read_text()
            for made in ("check.json", "split.csv"):
                (root / made).unlink()
            (images / "dog").chmod(0)
            assert refused(images, root) == f"cannot read {images / 'dog'}: Permission denied"
            (images / "dog").chmod(0o700)
    finally:
        shutil.rmtree(root)


def test_what_beside_the_classes_is_no_part_of_them_is_said_once(tmp_path: Path) -> None:
    """A cover beside the classes, a flat part, two spellings of a class, one that nearly is another."""
    files = {f"train/{name}": data for name, data in pets("cafe\u0301", "caf\u00e9", "dog", "Dog").items()}
    files |= {"cover.png": plain(201), "test/1.png": plain(202), "test/2.png": plain(203), "test/readme.md": b"x"}
    check, rows = checked(folder(tmp_path, files), tmp_path)
    assert [(one.kind, one.count, one.examples) for one in check.findings][:6] == [
        ("stray", 1, ("'cover.png'",)),
        ("ignored", 2, ("'test/1.png'", "'test/2.png'")),
        ("read", 20, ()),
        ("read", 1, ("'caf\u00e9'",)),
        ("alike", 2, ("'Dog'", "'dog'")),
        ("ignored", 1, ("'test/readme.md'",)),
    ]
    assert {row.class_name for row in rows} == {"caf\u00e9", "dog", "Dog"}
    assert {row.image for row in rows} == {name for name in files if name.startswith("train/")}


def test_links_and_names_that_lead_out_of_an_archive_are_named(tmp_path: Path) -> None:
    tarred(tmp_path / "pets.tar", pets("cat", "dog") | {"../../evil.png": plain(200)})
    with tarfile.open(tmp_path / "pets.tar", "a") as tar:
        link = tarfile.TarInfo("cat/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    check, rows = checked(tmp_path / "pets.tar", tmp_path)
    assert said(check) == {"links": (2, ("'../../evil.png'", "'cat/link.png'"))}
    assert len(rows) == 10


def test_pictures_by_any_name_are_learnt_from(tmp_path: Path) -> None:
    files = pets("cat", "dog", images=3) | {
        "cat/photo": plain(240), "dog/a.txt": encoded(np.full((8, 8), 241, np.uint8), "WEBP"), "dog/b.txt": b"BMWs",
        "cat/c.jfif": encoded(np.full((8, 8), 242, np.uint8), "JPEG"), "dog/d.jpg": plain(243),
    }  # fmt: skip
    check, rows = checked(folder(tmp_path, files), tmp_path)
    assert said(check) == {"ignored": (1, ("'dog/b.txt'",))}
    assert {row.image for row in rows} == files.keys() - {"dog/b.txt"}


def listing(root: Path, text: str) -> Path:
    unpacked(root, {f"photos/{name}": data for name, data in pets("cat", "dog").items()})
    (root / "list.csv").write_text(text)
    return root / "list.csv"


def test_a_csv_gives_each_image_its_label(tmp_path: Path) -> None:
    # Five images of one folder and five of another, parted otherwise by their labels.
    lines = [f"photos/{name}/{i}.png,{'even' if i % 2 == 0 else 'odd'}" for name in ("cat", "dog") for i in range(5)]
    text = "\n".join(["\ufeffpath,label", *lines, "photos/gone.png,odd"])  # as spreadsheets write it
    check, rows = checked(listing(tmp_path, text), tmp_path, "csv")
    assert said(check) == {"links": (1, ("'photos/gone.png'",))}
    assert {row.image: row.class_name for row in rows} == dict(line.split(",") for line in lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,what,kind\n", "or can be, the label; its first line is 'path', 'what', 'kind'"),
        ("path,label\nphotos/cat/0.png\n", "line 2: 1 cells, not 2 ('path', 'label')"),
        ("path,label\n../secret.png,a\n", "none of the 1 files that it lists is there"),
        ("path,label\nphotos/cat/0.png,\n", "lists no file with a label"),
        ("path,label\nphotos/cat/0.png,a\nphotos/cat/0.png,b\n", "line 3: 'photos/cat/0.png' has another label"),
        ("path,label\nphotos/cat/0.png,a\n", "all images have the label 'a'; it takes two classes"),
        ("path,label\nx.png,a\ny.png,b\n", "none of the 2 files that it lists is there, such as 'x.png'"),
        ("path,label\n", "lists no file with a label"),
    ],
)
def test_what_is_wrong_with_a_csv(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(listing(tmp_path, text), tmp_path, "csv")
