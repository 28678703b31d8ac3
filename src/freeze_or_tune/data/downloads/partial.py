"""The bytes that have come so far: `<file>.part`, and beside it which version of what they are the beginning of."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.files import write_text
from freeze_or_tune.system.locks import Busy, locked


class Partial:
    """The unfinished download of `destination`; it outlives failures and killed processes."""

    def __init__(self, destination: Path) -> None:
        """Nothing is read or written yet."""
        self.destination = destination
        self.path = destination.with_name(f"{destination.name}.part")
        self.origin = destination.with_name(f"{destination.name}.part.origin")
        self._lock = destination.with_name(f".{destination.name}.lock")

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
        """Give the file its name; leaving `locked` removes the rest."""
        self.path.replace(self.destination)

    def remove(self) -> None:
        """Forget what has come."""
        self.path.unlink(missing_ok=True)
        self.origin.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing to the same file; UserError if one does."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self._lock, self.path, wait=False))
            except Busy:
                raise UserError(f"another process is downloading to {self.path}; wait for it, or end it") from None
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
