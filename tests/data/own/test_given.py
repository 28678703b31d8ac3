"""Folders that a model is asked about."""

from pathlib import Path

import numpy as np
import pytest

from freeze_or_tune.data.own.given import given
from freeze_or_tune.system.errors import UserError

from ..conftest import encoded, plain, unpacked


def test_a_folder_stands_for_what_is_a_picture_in_it_whatever_it_is_called(tmp_path: Path) -> None:
    jpeg = encoded(np.full((8, 8), 7, np.uint8), "JPEG")
    others = {"notes.txt": b"BMW", ".hidden.png": plain(1), "@eaDir/a.jpg": jpeg, "Thumbs.db": b"\xd0\xcf"}
    unpacked(tmp_path, {"a.jfif": jpeg, "b": plain(2), "more/c.txt": plain(3), "torn.png": b""} | others)
    found = list(given(tmp_path))
    assert [one.name for one in found] == [str(tmp_path / name) for name in ("a.jfif", "b", "more/c.txt", "torn.png")]
    assert [int(one.pixels(1)[0, 0, 0]) for one in found[:3]] == [7, 2, 3]
    with pytest.raises(UserError, match=r"torn\.png: not an image of a known format"):
        found[3].pixels(1)
