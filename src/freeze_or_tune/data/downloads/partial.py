"""The bytes that have come so far: `<file>.part`, and beside it which version of what they are the beginning of."""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import write_text


class Partial:
    """The unfinished download of `destination`; it outlives failures and killed processes."""

    def __init__(self, destination: Path) -> None:
        """Nothing is read or written yet."""
        self.destination = destination
        self.path = destination.with_name(f"{destination.name}.part")
        self.origin = destination.with_name(f"{destination.name}.part.origin")

    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resume(self, url: str, digest_known: bool) -> dict[str, str]:
        """Headers that ask `url` for the rest, none if the file has to be fetched from its beginning.

        The server is asked to send the rest only if its file is still the one that was begun. Where it offers no
        means for that, or another mirror goes on, pieces are joined only if a digest will tell whether they fit.
        """
        if not self.size():
            return {}
        begun = self._begun()
        same = begun.get("url") == url and begun.get("validator")
        if not same and not digest_known:
            return {}
        return {"Range": f"bytes={self.size()}-"} | ({"If-Range": str(same)} if same else {})

    def begin(self, url: str, validator: str) -> None:
        """Start anew with a version of the file that an ETag or a date identifies (empty: nothing does)."""
        self.path.write_bytes(b"")  # first, so that no old bytes ever stand under the new validator
        write_text(self.origin, json.dumps({"url": url, "validator": validator}))

    def finish(self) -> None:
        """Give the file its name; the end of the lock removes the rest."""
        self.path.replace(self.destination)

    def discard(self) -> None:
        """Forget what has come, but keep the file: a lock may be on it."""
        self.path.write_bytes(b"")
        self.origin.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete both files."""
        self.path.unlink(missing_ok=True)
        self.origin.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing to the same file; UserError if one does."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f"another process is downloading to {self.path}; wait for it, or end it") from None
            except OSError:
                pass  # a file system without locks; Snakemake itself keeps two runs out of one folder
            try:
                yield
            finally:
                if not self.size():
                    self.remove()

    def _begun(self) -> dict[str, object]:
        with contextlib.suppress(OSError, ValueError):
            begun = json.loads(self.origin.read_text(encoding="utf-8"))
            if isinstance(begun, dict):
                return begun
        return {}
