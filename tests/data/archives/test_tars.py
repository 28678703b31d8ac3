import contextlib
import gzip
import io
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freeze_or_tune.data.archives import base, open_archive, open_archives, tars
from freeze_or_tune.system.errors import UserError

from ..conftest import tarred, unpacked, zipped

FILES = {
    "b/two words.png": b"2",
    "a/é 猫.png": b"1",
    "top.txt": b"0",
    "empty": b"",
    f"{'long/' * 60}x.png": b"9" * 2000,
}


def tarball(path: Path, files: Mapping[str, bytes]) -> Path:
    path.write_bytes(gzip.compress(tarred(path, files).read_bytes()))
    return path


def odd_tar(path: Path) -> Path:
    """Write a tar with one honest file among everything that a tar must not bring in."""
    with tarfile.open(path, "w") as tar:
        for name in ("ok/1.png", "../up.png", "/etc/absolute.png", "a/../../up.png"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"ok/{kind.decode()}.png")
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
        folder = tarfile.TarInfo("ok/folder.png")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("make", [tarred, tarball])
def test_names_are_sorted_and_read_back(tmp_path: Path, make: Callable[[Path, Mapping[str, bytes]], Path]) -> None:
    with open_archive(make(tmp_path / "it", FILES), tmp_path) as archive:
        assert archive.names() == sorted(FILES)
        assert {name: archive.read(name) for name in archive.names()} == FILES
        with pytest.raises(KeyError):
            archive.read("a/none.png")
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar program here")
@pytest.mark.parametrize("options", ["-cf", "-czf"])
def test_what_the_tar_program_makes(tmp_path: Path, options: str) -> None:
    folder = unpacked(tmp_path / "it", FILES)
    (folder / "same.txt").hardlink_to(folder / "top.txt")
    (folder / "link.txt").symlink_to("top.txt")
    subprocess.run(["tar", options, tmp_path / "it.archive", "-C", folder, "."], check=True)
    with open_archive(tmp_path / "it.archive", tmp_path) as archive:
        # Of two names of one file, tar writes the second one as a link, and which is the second is its choice.
        names = set(archive.names())
        assert len(names & {"same.txt", "top.txt"}) == 1
        assert names - {"same.txt", "top.txt"} == FILES.keys() - {"top.txt"}
        assert all(archive.read(name) == FILES.get(name, b"0") for name in names)


@pytest.mark.parametrize("style", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_each_dialect(tmp_path: Path, style: int) -> None:
    files = {"./a/é.png": b"1", "a//2.png": b"2" * 600, f"{'d' * 90}/{'e' * 90}.png": b"3"}
    with open_archive(tarred(tmp_path / "a.tar", files, style)) as archive:
        assert {name: archive.read(name) for name in archive.names()} == {
            "a/é.png": b"1",
            "a/2.png": b"2" * 600,
            f"{'d' * 90}/{'e' * 90}.png": b"3",
        }


def test_the_last_of_two_files_of_one_name_counts_as_when_unpacking(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for data in (b"old", b"newer"):
            member = tarfile.TarInfo("x")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    with open_archive(tmp_path / "a.tar") as archive:
        assert archive.read("x") == b"newer"


def test_tars_in_a_tar_are_folders(tmp_path: Path) -> None:
    inner = {
        name: tarred(tmp_path / "inner", {f"{name}_{i}.JPEG": f"{name} {i}".encode() * i for i in (1, 20, 300)})
        .read_bytes()
        for name in ("n01440764", "n01443537")
    }  # fmt: skip
    outer = tarred(tmp_path / "train.tar", {f"{name}.tar": data for name, data in inner.items()} | {"note": b"hello"})
    with open_archive(outer) as archive:
        assert len(archive.names()) == 7
        assert archive.names()[0] == "n01440764/n01440764_1.JPEG"
        assert archive.read("n01443537/n01443537_20.JPEG") == b"n01443537 20" * 20
        assert archive.read("note") == b"hello"


def test_a_damaged_tar_in_a_tar(tmp_path: Path) -> None:
    inner = tarred(tmp_path / "inner", {"1": b"1" * 1000}).read_bytes()
    for broken in (inner[:1024], inner[:700], b"no tar" * 200):
        with pytest.raises(UserError, match=r"train\.tar is not a readable tar"):
            open_archive(tarred(tmp_path / "train.tar", {"a.tar": broken, "b": b""}))


def test_what_is_no_plain_file_inside_is_left_out_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_archive(odd_tar(tmp_path / "a.tar")) as archive:
        assert archive.names() == ["ok/1.png"]
        for name in ("../up.png", "/etc/absolute.png", "ok/2.png", "/etc/passwd"):
            with pytest.raises(KeyError):
                archive.read(name)
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'a.tar'}: left out 8 members that are links, devices or lead out of the archive, "
        "such as '../up.png'"
    ]


def test_a_zip_leaves_them_out_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("ok.png", "../up.png", "/absolute.png"):
            archive.writestr(name, b"")
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with open_archive(tmp_path / "a.zip") as opened:
        assert opened.names() == ["ok.png"]
        with pytest.raises(KeyError):
            opened.read("link.png")
    assert "left out 3 members" in caplog.text


@pytest.mark.parametrize("make", [tarred, tarball, zipped, unpacked])
def test_a_file_too_large_for_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path, Mapping[str, bytes]], Path]
) -> None:
    monkeypatch.setattr(base, "MOST_BYTES", 1000)
    with open_archive(make(tmp_path / "it", {"big": b"0" * 1001, "small": b"0" * 1000})) as archive:
        assert len(archive.read("small")) == 1000
        with pytest.raises(UserError, match=r"'big' in .*it has 1001 bytes, more than the 1000"):
            archive.read("big")


@pytest.mark.parametrize("make", [tarred, tarball, zipped])
def test_too_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path, Mapping[str, bytes]], Path]
) -> None:
    monkeypatch.setattr(base, "MOST_FILES", 3)
    open_archive(make(tmp_path / "it", {str(i): b"" for i in range(3)})).close()
    with pytest.raises(UserError, match="it lists more than 3 files"):
        open_archive(make(tmp_path / "it", {str(i): b"" for i in range(4)}))


def test_a_zip_that_lies_about_a_size_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(50_000_000))
    path.write_bytes(path.read_bytes().replace((50_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with open_archive(path) as opened, pytest.raises(UserError, match=r"'bomb' in .* cannot be read .*CRC"):
        opened.read("bomb")


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "ALWAYS_ALLOWED", 1_000_000)
    tarball(tmp_path / "bomb.tgz", {"x": bytes(5_000_000)})
    with pytest.raises(UserError, match=r"bomb\.tgz holds more than 1000000 bytes, too many for its size"):
        open_archive(tmp_path / "bomb.tgz", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bomb.tgz"]


@pytest.mark.parametrize("cut", [1, 100, 511, 512, 1024, 1100, 1536, 2500, 2560])
def test_any_truncation_of_a_tar_is_noticed(tmp_path: Path, cut: int) -> None:
    path = tarred(tmp_path / "a.tar", {"x": b"1" * 900, "y": b"2" * 300})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"a\.tar is not a readable tar \(.*\); fetch or make it again"):
        open_archive(path)


def test_a_broken_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", {"x": b"1" * 100, "y": b"2" * 300})
    data = bytearray(path.read_bytes())
    data[1024 + 150] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match="it breaks off at byte 1024"):
        open_archive(path)


@pytest.mark.parametrize("size", [-1, -512, -1024, -(2**60)])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, b"Z"])
def test_a_negative_size_does_not_lead_in_circles(tmp_path: Path, size: int, kind: bytes) -> None:
    honest, evil = tarfile.TarInfo("honest"), tarfile.TarInfo("evil")
    evil.size, evil.type = size, kind
    data = honest.tobuf(tarfile.GNU_FORMAT) + evil.tobuf(tarfile.GNU_FORMAT) + bytes(10240)
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(UserError, match=r"a\.tar is not a readable tar \(the size of '\w+' is negative\)"):
        open_archive(tmp_path / "a.tar")


def mended(data: bytearray) -> bytes:
    """Give tar headers the checksums that make a reader believe them."""
    for start in range(0, len(data), tarfile.BLOCKSIZE):
        header = data[start : start + tarfile.BLOCKSIZE]
        if header[257:262] == b"ustar":
            data[start + 148 : start + 156] = b"%06o\0 " % (8 * ord(" ") + sum(header[:148]) + sum(header[156:]))
    return bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("make", [tarred, tarball, zipped])
@given(st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(b"\x00\x80\xff09Lx")), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_any_damage_is_the_users_error_or_none(
    tmp_path_factory: pytest.TempPathFactory,
    make: Callable[[Path, Mapping[str, bytes]], Path],
    changes: list[tuple[int, int]],
) -> None:
    path = make(tmp_path_factory.mktemp("damaged") / "it.zip", FILES)
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[place % len(data)] = value
    path.write_bytes(mended(data))
    with contextlib.suppress(UserError), open_archive(path) as archive:
        for name in archive.names():
            assert isinstance(archive.read(name), bytes)


@pytest.mark.parametrize("cut", [5, 60, -9, -1])
def test_a_truncated_gzip(tmp_path: Path, cut: int) -> None:
    path = tarball(tmp_path / "a.tgz", {"x": os.urandom(3000)})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"a\.tgz cannot be decompressed .*; if it is damaged, fetch or make it again"):
        open_archive(path)


def test_a_gzip_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"no tar" * 1000))
    with pytest.raises(UserError, match=r"a\.gz is not a readable tar"):
        open_archive(tmp_path / "a.gz")


def test_a_tar_that_shrinks_while_it_is_open(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", {"x": b"1" * 900})
    with open_archive(path) as archive:
        os.truncate(path, 1000)
        with pytest.raises(UserError, match="'x' is cut off"):
            archive.read("x")


@pytest.mark.parametrize("make", [tarred, tarball])
def test_threads_may_read_at_once(tmp_path: Path, make: Callable[[Path, Mapping[str, bytes]], Path]) -> None:
    files = {f"{i}.bin": os.urandom(2000) for i in range(200)}
    with open_archive(make(tmp_path / "it", files)) as archive, ThreadPoolExecutor(8) as pool:
        names = list(files) * 5
        assert list(pool.map(archive.read, names)) == [files[name] for name in names]


def test_several_archives_are_one_with_a_folder_each(tmp_path: Path) -> None:
    (tmp_path / "Train.txt").write_bytes(b"list")
    paths = [
        zipped(tmp_path / "2006.v1.zip", {"a/1.png": b"6"}),
        tarball(tmp_path / "more.tar.gz", {"a/1.png": b"7"}),
        unpacked(tmp_path / "here.zip", {"a/1.png": b"8"}),
        tmp_path / "Train.txt",
    ]
    with open_archives(paths, tmp_path) as archive:
        assert archive.path == tmp_path
        assert {name: archive.read(name) for name in archive.names()} == {
            "2006.v1/a/1.png": b"6",
            "Train.txt": b"list",
            "here.zip/a/1.png": b"8",
            "more/a/1.png": b"7",
        }
        for name in ("2006.v1", "2006.v1/b.png", "none/a/1.png", "Train.txt/x", "Train"):
            with pytest.raises(KeyError):
                archive.read(name)


def test_one_archive_is_not_put_into_a_folder(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x": b""})
    for paths in (path, [path]):
        with open_archives(paths) as archive:
            assert archive.names() == ["x"]


def test_several_archives_of_one_name(tmp_path: Path) -> None:
    paths = [zipped(tmp_path / "a.zip", {"x": b""}), tarred(tmp_path / "a.tar", {"x": b""})]
    with pytest.raises(UserError, match=r"a\.zip and .*a\.tar are both named 'a'; rename one"):
        open_archives(paths)
    with pytest.raises(UserError, match=r"none\.zip does not exist"):
        open_archives([paths[0], tmp_path / "none.zip"])
