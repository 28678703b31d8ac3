"""Hashes that are the same on every machine, in every process, for ever."""

import hashlib
import json
from pathlib import Path
from typing import Any


def stable_digest(*parts: Any) -> str:
    """SHA-256 (hex) of JSON-serialisable `parts`; dictionaries count by content, not by order of keys."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def stable_seed(*parts: Any) -> int:
    """A seed in [0, 2**63) for any generator, from `parts` alone (numpy and torch both take it)."""
    return int(stable_digest(*parts)[:16], 16) >> 1


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Compute a file's digest in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
