import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from freeze_or_tune.data import pixels as decoding
from freeze_or_tune.data import store as module
from freeze_or_tune.data.index import build_index, read_index
from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.splits import Draw, draw
from freeze_or_tune.data.store import Store, build_store, read_rejected
from freeze_or_tune.system.errors import UserError

from .conftest import plain, zipped

SPLIT = Draw(seed=0, n=2, val=1, test=1)
FILES = {f"{name}/{i} é.png": plain(10 * i + level) for name, level in (("cat", 0), ("dog", 5)) for i in range(10)}
BROKEN = plain(0)[:40]


def indexed(folder: Path, files: dict[str, bytes]) -> Path:
    """Return a folder that holds pets.zip and its index.csv."""
    build_index("folder", zipped(folder / "pets.zip", files), folder / "index.csv", None)
    return folder


def build(folder: Path, *splits: Draw, threads: int = 3) -> Store:
    build_store(
        folder / "pets.zip",
        folder / "index.csv",
        splits or (SPLIT,),
        dataset="pets",
        size=4,
        destination=folder / "store" / "pets.npy",
        threads=threads,
    )
    return Store(folder / "store" / "pets.npy")


def drawn(listings: list[Listing], *splits: Draw) -> list[str]:
    return sorted({r.image for s in splits for r in draw(listings, dataset="pets", **s._asdict())})


def value(name: str) -> int:
    return int(name[4]) * 10 + (5 if name.startswith("dog") else 0)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    indexed(tmp_path, FILES)
    build(tmp_path)
    return tmp_path / "store"


def test_holds_each_drawn_image_once(tmp_path: Path) -> None:
    indexed(tmp_path, FILES)
    splits = (SPLIT, Draw(seed=0, n=3, val=1, test=1), Draw(seed=7, n=1, val=1, test=1))
    store = build(tmp_path, *splits)
    assert store.names == drawn(read_index(tmp_path / "index.csv"), *splits)
    pixels = store.images(store.names[::-1])
    assert (pixels.shape, pixels.dtype, len(store)) == ((len(store), 4, 4, 3), np.uint8, len(store.names))
    assert (
        [image.max() for image in pixels] == [image.min() for image in pixels] == [value(n) for n in store.names[::-1]]
    )
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == [
        "pets.csv", "pets.json", "pets.npy", "pets.rejected.csv"
    ]  # fmt: skip

    assert read_rejected(tmp_path / "store" / "pets.rejected.csv") == set()


def test_the_number_of_threads_changes_nothing(tmp_path: Path) -> None:
    indexed(tmp_path, FILES | {"cat/broken.png": BROKEN})
    contents = []
    for threads in (1, 4):
        build(tmp_path, Draw(0, 6, 2, 2), threads=threads)
        contents.append([path.read_bytes() for path in sorted((tmp_path / "store").iterdir())])
    assert contents[0] == contents[1]


def test_unreadable_images_are_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = drawn([Listing(name, name[:3]) for name in FILES], SPLIT)
    first = [name for name in before if name.startswith("cat")][:2]
    # The next cat in line is broken too, so one more round is needed.
    after = drawn([Listing(name, name[:3]) for name in FILES if name not in first], SPLIT)
    second = sorted(set(after) - set(before))[0]
    bad = {*first, second}
    indexed(tmp_path, FILES | dict.fromkeys(bad, BROKEN))
    store = build(tmp_path)
    readable = [listing for listing in read_index(tmp_path / "index.csv") if listing.image not in bad]
    assert store.names == drawn(readable, SPLIT)
    assert [image.max() for image in store.images(store.names)] == [value(name) for name in store.names]
    assert read_rejected(tmp_path / "store" / "pets.rejected.csv") == bad
    assert caplog.text.count("pets: left out 'cat/") == 3


def test_each_image_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed(tmp_path, FILES | {f"cat/{i} é.png": BROKEN for i in range(5)})
    calls: list[bytes] = []
    real = decoding.decode_noting
    monkeypatch.setattr(decoding, "decode_noting", lambda data, *how: calls.append(data) or real(data, *how))
    store = build(tmp_path)
    rejected = read_rejected(tmp_path / "store" / "pets.rejected.csv")
    assert rejected
    assert len(calls) == len(store) + len(rejected)


def test_only_drawn_images_are_decoded(tmp_path: Path) -> None:
    spare = set(FILES) - set(drawn([Listing(name, name[:3]) for name in FILES], SPLIT))
    indexed(tmp_path, FILES | dict.fromkeys(spare, BROKEN))
    build(tmp_path)
    assert read_rejected(tmp_path / "store" / "pets.rejected.csv") == set()


def test_too_few_readable_images(tmp_path: Path) -> None:
    indexed(tmp_path, FILES | {f"cat/{i} é.png": BROKEN for i in range(7)})
    with pytest.raises(
        UserError, match=r"class 'cat': .* there are 3; n may be 1 at most \(7 images could not be read"
    ):
        build(tmp_path)
    assert list((tmp_path / "store").iterdir()) == []


def test_an_indexed_image_that_is_gone(tmp_path: Path) -> None:
    indexed(tmp_path, FILES)
    zipped(tmp_path / "pets.zip", {name: data for name, data in FILES.items() if name != "cat/3 é.png"})
    with pytest.raises(UserError, match=r"lacks 1 images of .*'cat/3 é.png'; .* snakemake --forcerun index"):
        build(tmp_path)


def test_a_crash_leaves_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed(tmp_path, FILES)
    build(tmp_path)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_table", crash)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path)
    assert not (tmp_path / "store" / "pets.npy").exists()


def test_progress_is_silent_without_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="freeze_or_tune")
    indexed(tmp_path, FILES)
    build(tmp_path)
    assert capsys.readouterr() == ("", "")


def test_mean(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 3)  # several blocks, the last one not full
    store = Store(whole / "pets.npy")
    mean = store.mean()
    assert (mean.shape, mean.dtype) == ((4, 4, 3), np.float32)
    np.testing.assert_allclose(mean, np.mean([value(name) for name in store.names]), rtol=1e-6)
    np.testing.assert_allclose(store.mean(store.names[:1]), value(store.names[0]))
    with pytest.raises(ValueError, match="mean of no images"):
        store.mean([])


def test_an_image_that_is_not_there(whole: Path) -> None:
    with pytest.raises(UserError, match=r"pets\.npy is damaged \(it has no image 'cat/x.png'\); delete it and run"):
        Store(whole / "pets.npy").images(["cat/x.png"])


@pytest.mark.parametrize("cut", [0, 5, 100, 129, -48, -1])
def test_truncated_array(whole: Path, cut: int) -> None:
    path = whole / "pets.npy"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"pets\.npy is damaged"):
        Store(path)


def test_an_array_cut_short_after_it_was_opened_is_an_error_and_no_bus_error(whole: Path) -> None:
    store = Store(whole / "pets.npy")
    os.truncate(whole / "pets.npy", 128 + 4 * 48)  # the other half is gone
    assert len(store.images(store.names[:4])) == len(store.rows(store.names[:4])) == 4
    for read in (store.rows, store.images, store.mean):
        with pytest.raises(UserError, match=r"pets\.npy has become shorter while it was read; delete it and run"):
            read(store.names)


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (lambda file: np.lib.format.write_array(file, np.zeros((8, 4, 4, 3), np.uint8), (2, 0)), "of version"),
        (lambda file: np.save(file, np.asfortranarray(np.zeros((8, 4, 4, 3), np.uint8))), "by columns"),
        (lambda file: np.savez(file, np.zeros(3)), "magic string is not correct"),
    ],
)
def test_an_array_of_another_form(whole: Path, made: Callable[[IO[bytes]], None], problem: str) -> None:
    with (whole / "pets.npy").open("wb") as file:
        made(file)
    with pytest.raises(UserError, match=rf"pets\.npy is damaged \(.*{problem}"):
        Store(whole / "pets.npy")


def test_lengthened_array(whole: Path) -> None:
    with (whole / "pets.npy").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(UserError, match="is damaged"):
        Store(whole / "pets.npy")


def test_an_array_of_another_kind(whole: Path) -> None:
    np.save(whole / "pets.npy", np.zeros((8, 4, 4, 3), np.float32))
    with pytest.raises(UserError, match=r"it holds float32 \[8, 4, 4, 3\]"):
        Store(whole / "pets.npy")


def test_missing_files(whole: Path) -> None:
    (whole / "pets.csv").rename(whole / "other.csv")
    with pytest.raises(UserError, match=r"cannot read .*pets\.csv"):
        Store(whole / "pets.npy")
    with pytest.raises(UserError, match=r"none\.npy is damaged .*No such file"):
        Store(whole / "none.npy")


def test_a_row_is_missing_or_doubled(whole: Path) -> None:
    lines = (whole / "pets.csv").read_text().splitlines(keepends=True)
    for changed in (lines[:-1], [*lines, lines[-1]], [*lines[:-1], lines[-2]]):
        (whole / "pets.csv").write_text("".join(changed))
        with pytest.raises(UserError, match=r"8 images, but . rows beside them"):
            Store(whole / "pets.npy")


def test_swapped_rows_are_noticed(whole: Path) -> None:
    array = np.load(whole / "pets.npy", mmap_mode="r+")
    array[[0, 1]] = array[[1, 0]]
    array.flush()
    store = Store(whole / "pets.npy")
    assert len(store.images(store.names[2:])) == 6
    for name in store.names[:2]:
        with pytest.raises(UserError, match=f"pixels of '{name}' are not those that were stored"):
            store.images([name])


def test_one_wrong_pixel_is_noticed_by_the_mean(whole: Path) -> None:
    array = np.load(whole / "pets.npy", mmap_mode="r+")
    array[5, 3, 3, 2] ^= 1
    array.flush()
    with pytest.raises(UserError, match="not those that were stored"):
        Store(whole / "pets.npy").mean()


def test_real_photographs(tmp_path: Path, elpv: Path) -> None:
    build_index("solar-cells", elpv, tmp_path / "index.csv", 313)
    build_store(
        elpv,
        tmp_path / "index.csv",
        [Draw(0, 5, 5, 5)],
        dataset="solar-cells",
        size=64,
        destination=tmp_path / "cells.npy",
        threads=2,
    )
    store = Store(tmp_path / "cells.npy")
    assert len(store) == 4 * 15
    assert read_rejected(tmp_path / "cells.rejected.csv") == set()
    assert 100 < store.mean().mean() < 200
