"""Tars, read by random access; tars within tars; and gzipped tars.

A gzipped tar can only be read from its start. So it is decompressed once, into one unnamed file in a folder of the
caller's, and then read like any other: images may be asked for in any order, by many threads, and again after one was
replaced. The largest (SUN397) takes 39 GB while it is open, and nothing remains even after a crash. Reading such
archives in their own order would save that space, but each reader and the store would have to know about it.
"""

import contextlib
import gzip
import io
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from freeze_or_tune.data.archives.base import Archive, check_count, check_size, safe_name, warn_left_out
from freeze_or_tune.system.errors import UserError

MOST_TIMES = 100
"""A gzipped tar of images is not this many times smaller than what it holds ..."""

ALWAYS_ALLOWED = 1 << 28
"""... unless it is smaller than this number of bytes, which does no harm."""

CHUNK = 1 << 20


class TarArchive(Archive):
    """A tar; a tar in it is listed as a folder of its name (ILSVRC2012: n01440764.tar as n01440764/)."""

    def __init__(self, path: Path, file: IO[bytes] | None = None, *, keep_open: bool = True) -> None:
        """List `path`, or the open `file` that it was decompressed to; UserError if it is damaged.

        Without `keep_open` each read opens `path` anew: of a thousand tars not all may be open at once.
        """
        super().__init__(path)
        self._places: dict[str, tuple[int, int]] = {}
        left_out: list[str] = []
        self.repeated: list[str] = []
        """Names that stand there twice: the last file of a name counts, as when it is unpacked."""
        self._file: IO[bytes] | None = path.open("rb") if file is None else file
        try:
            self._list(self._file.fileno(), 0, os.fstat(self._file.fileno()).st_size, "", left_out)
        except BaseException:
            self._file.close()
            raise
        self.left_out = tuple(sorted(left_out))
        warn_left_out(path, left_out)
        if file is None and not keep_open:
            self._file.close()
            self._file = None

    def names(self) -> list[str]:
        """Sorted paths of all files."""
        return sorted(self._places)

    def read(self, name: str) -> bytes:
        """Bytes of a file; a tar has no checksums, so that only missing bytes are noticed."""
        start, size = self._places[name]
        check_size(self.path, name, size)
        # pread keeps no position, so that threads need not wait for each other.
        with contextlib.nullcontext(self._file) if self._file else self.path.open("rb") as file:
            data = os.pread(file.fileno(), size, start)
        if len(data) != size:
            raise _damaged(self.path, f"{name!r} is cut off")
        return data

    def open(self, name: str) -> IO[bytes]:
        """A file from its start."""
        if self._file is None:
            return super().open(name)
        start, size = self._places[name]
        check_size(self.path, name, size)
        return io.BufferedReader(_Window(self._file.fileno(), start, size))

    def close(self) -> None:
        """Close the tar."""
        if self._file:
            self._file.close()

    def _list(self, descriptor: int, start: int, size: int, folder: str, left_out: list[str]) -> None:
        """Note where each file lies of the tar at `start`, its names put into `folder`, and what is no plain file."""
        for count, member in enumerate(_members(self.path, descriptor, start, size), len(self._places)):
            check_count(self.path, count + 1)
            name = safe_name(member.name)
            # A hard or symbolic link may point anywhere, a sparse file is not stored in one piece.
            if name is None or not (member.isdir() or (member.isreg() and not member.issparse())):
                left_out.append(folder + member.name)
            elif member.isreg():
                inside = start + member.offset_data
                if name.endswith(".tar") and not folder:
                    self._list(descriptor, inside, member.size, name.removesuffix(".tar") + "/", left_out)
                else:
                    if folder + name in self._places:
                        self.repeated.append(folder + name)
                    self._places[folder + name] = (inside, member.size)


def decompressed(path: Path, scratch: Path | None) -> IO[bytes]:
    """Decompress a gzip to an unnamed file in `scratch`, gone when closed; UserError if it is damaged or a bomb."""
    most = max(ALWAYS_ALLOWED, MOST_TIMES * path.stat().st_size)
    file = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 (the archive closes it)
    try:
        with gzip.open(path) as packed:
            while chunk := packed.read(CHUNK):
                file.write(chunk)
                if file.tell() > most:
                    raise UserError(f"{path} holds more than {most} bytes, too many for its size; it was not unpacked")
        file.flush()
    except (EOFError, OSError, zlib.error) as error:
        file.close()
        raise UserError(
            f"{path} cannot be decompressed ({error}); if it is damaged, fetch or make it again; "
            "if the disk is full, make room for the whole of it"
        ) from None
    except BaseException:
        file.close()
        raise
    return file


class _Window(io.RawIOBase):
    """Some bytes of an open file as a file of their own, so that a tar within a tar ends where it should."""

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        self._descriptor, self._start, self._size, self._place = descriptor, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = origin + offset
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), max(0, self._size - self._place))
        data = os.pread(self._descriptor, wanted, self._start + self._place)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def _members(path: Path, descriptor: int, start: int, size: int) -> Iterator[tarfile.TarInfo]:
    """All members of the tar in these bytes of an open file; UserError if it is damaged or ends early."""
    window = io.BufferedReader(_Window(descriptor, start, size))
    try:
        with tarfile.open(fileobj=window, mode="r:", encoding="utf-8") as tar:
            end = 0
            while (member := tar.next()) is not None:
                # A negative size would lead back to an earlier member, and round again for ever (CVE-2025-8194).
                if member.size < 0 or tar.offset <= end:
                    raise tarfile.ReadError(f"the size of {member.name!r} is negative")
                end = tar.offset
                tar.members.clear()  # type: ignore[attr-defined]  # it would keep all headers of ImageNet
                yield member
    except (tarfile.TarError, ValueError, OverflowError, OSError) as error:
        raise _damaged(path, str(error)) from None
    # tarfile takes a broken header for the end, but a whole tar ends in blocks of zeros.
    block = os.pread(descriptor, min(tarfile.BLOCKSIZE, max(0, size - end)), start + end)
    if block != bytes(tarfile.BLOCKSIZE):
        raise _damaged(path, f"it breaks off at byte {start + end}")


def _damaged(path: Path, problem: str) -> UserError:
    return UserError(f"{path} is not a readable tar ({problem}); fetch or make it again")
