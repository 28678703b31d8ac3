"""Zips."""

import lzma
import stat
import struct
import threading
import zipfile
import zlib
from pathlib import Path
from typing import IO

from freeze_or_tune.data.archives.base import Archive, check_count, check_size, safe_name, warn_left_out
from freeze_or_tune.system.errors import UserError

DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError, ValueError
)  # fmt: skip
"""What zipfile raises for broken zips, of which only the first is documented."""

_DOS = 0
"""The system, by the format's table, that a zip of Windows says it was made on."""


class ZipArchive(Archive):
    """A zip, whatever its suffix (a wheel is one)."""

    def __init__(self, path: Path) -> None:
        """Open it; UserError if it is damaged."""
        super().__init__(path)
        self._lock = threading.Lock()
        try:
            self._zip = zipfile.ZipFile(path)
        except DAMAGE as error:
            raise UserError(f"{path} is not a readable zip ({error}); fetch or make it again") from None
        check_count(path, len(self._zip.infolist()))
        self._entries: dict[str, zipfile.ZipInfo] = {}
        left_out = []
        for entry in self._zip.infolist():
            name = safe_name(_slashed(entry))
            if name is None or stat.S_ISLNK(entry.external_attr >> 16):
                left_out.append(entry.filename)
            elif not _slashed(entry).endswith("/"):
                self._entries[name] = entry
        self.left_out = tuple(sorted(left_out))
        warn_left_out(path, left_out)

    def names(self) -> list[str]:
        """Sorted paths of all files."""
        return sorted(self._entries)

    def read(self, name: str) -> bytes:
        """Bytes of a file; their checksum is verified."""
        entry = self._entries[name]
        check_size(self.path, name, entry.file_size)
        try:
            # The size is what the zip says; reading up to it bounds the memory also if what is packed is larger.
            with self._lock, self._zip.open(entry) as file:
                return file.read(entry.file_size + 1)
        except DAMAGE as error:
            raise UserError(f"{name!r} in {self.path} cannot be read ({error}); fetch or make the zip again") from None

    def open(self, name: str) -> IO[bytes]:
        """A file from its start; a checksum is verified only at its end."""
        entry = self._entries[name]
        check_size(self.path, name, entry.file_size)
        try:
            return self._zip.open(entry)
        except DAMAGE as error:
            raise UserError(f"{name!r} in {self.path} cannot be read ({error}); fetch or make the zip again") from None

    def close(self) -> None:
        """Close the zip."""
        self._zip.close()


def _slashed(entry: zipfile.ZipInfo) -> str:
    """A member's name, whose folders some programs of Windows part by backslashes, against the format."""
    of_windows = entry.create_system == _DOS and "/" not in entry.filename
    return entry.filename.replace("\\", "/") if of_windows else entry.filename
