"""Which of a dataset's alternatives a study takes: what its index was made of, what is there, what can be fetched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from freeze_or_tune.data.downloads.catalogue import Download
from freeze_or_tune.data.downloads.choosing import chosen, placed, row_of, told
from freeze_or_tune.records.findings import Findings, Source
from freeze_or_tune.study.reading import load_study
from freeze_or_tune.study.study import Study

TAR, SHARD, FOLDER = (
    "resources/downloads/sun397/a.tar",
    "resources/downloads/hub/b.zip",
    "resources/manual/sun397/SUN397",
)
DEAD = "dead 2026-06-25 pytorch/vision#9348"
Choose = Callable[..., str]


def study() -> Study:
    alternatives = [{"reader": "sun397", "files": [FOLDER]}, {"reader": "folder", "path": SHARD}]
    return load_study(
        {
            "name": "s",
            "datasets": {
                "sun397": {"reader": "sun397", "files": [TAR], "alternatives": alternatives},
                "digits": {"reader": "digits"},
            },
            "networks": {"net": {"image_size": 64, "crop": 60, "channels": [8] * 5, "features": 16}},
            "sources": {
                "digits": {"dataset": "digits", "network": "net", "pretraining": {"n": 2, "val": 1, "test": 1}}
            },
            "targets": {"t": {"dataset": "sun397", "source": "digits", "n": [1], "val": 1, "test": 1}},
            "schemes": ["T1-7_R8"],
        }
    )


def row(path: str, seen: str) -> Download:
    _, _, dataset, file = path.split("/")
    return Download(
        dataset=dataset, file=file, url="https://host.org/f", page="https://host.org", bytes=None, algorithm="md5",
        digest=None, licence="-", seen=seen,
    )  # fmt: skip


@pytest.fixture
def choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Choose:
    """The file that is chosen, by what the table knows of the two that have an address."""
    monkeypatch.chdir(tmp_path)

    def choose(tar: str = DEAD, shard: str = "", prefix: str = "") -> str:
        table = {"sun397": [row(TAR, tar)], "hub": [row(SHARD, shard)]}
        (file,) = chosen(study(), table, prefix).dataset("sun397").files
        return file

    return choose


def put(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).touch()


def indexed(*files: str, where: str = "results/indexes/sun397.json") -> None:
    Findings(findings=(), reader="sun397", files=tuple(Source(path=file, digest="md5:0") for file in files)).write(
        where
    )


def test_the_first_that_can_be_fetched(choose: Choose) -> None:
    assert choose(tar="") == TAR
    assert choose(tar=DEAD) == SHARD  # the folder, before it, has no address
    assert choose(tar=DEAD, shard=DEAD) == TAR  # whose message says how to place it


@pytest.mark.parametrize("path", [FOLDER, "resources/manual/hub/b.zip"])
def test_what_is_there_goes_before_what_can_be_fetched(choose: Choose, path: str) -> None:
    put(path)
    assert choose(tar="") == (FOLDER if path == FOLDER else SHARD)


def test_of_several_that_are_there_the_first(choose: Choose) -> None:
    put(FOLDER)
    put("resources/manual/sun397/a.tar")
    assert choose() == TAR


def test_an_index_keeps_what_it_was_made_of(choose: Choose) -> None:
    put(TAR)
    indexed(SHARD)
    assert choose(tar="") == SHARD
    indexed(TAR)
    Path(TAR).unlink()
    put(FOLDER)
    assert choose() == TAR
    # Other files in the config: there is nothing to keep.
    indexed("elsewhere/c.tar")
    assert choose() == FOLDER


def test_an_index_from_before_there_were_alternatives_is_of_the_first(choose: Choose) -> None:
    put(FOLDER)
    Findings(findings=()).write("results/indexes/sun397.json")
    assert choose() == TAR


def test_below_the_prefix_of_a_module(choose: Choose) -> None:
    put(f"one/{FOLDER}")
    assert (choose(prefix="one/"), choose(prefix="two/"), choose()) == (FOLDER, SHARD, SHARD)
    indexed(f"one/{SHARD}", where="one/results/indexes/sun397.json")
    assert choose(prefix="one/") == SHARD


def test_what_is_told_and_what_stays(choose: Choose) -> None:
    whole, table = study(), {"sun397": [row(TAR, DEAD)], "hub": [row(SHARD, "")]}
    taken = chosen(whole, table)
    assert told(whole, taken) == {"sun397": SHARD}
    assert taken.dataset("sun397").reader == "folder"
    assert taken.dataset("digits") == whole.dataset("digits")
    assert not told(whole, chosen(whole, {"sun397": [row(TAR, "")]}))


def test_rows_by_path() -> None:
    table = {"sun397": [row(TAR, "")]}
    assert row_of(table, TAR) is table["sun397"][0]
    assert [row_of(table, path) for path in ("a.tar", "sun397/a.tar", TAR.replace("a.tar", "b.tar"), FOLDER)] == [
        None
    ] * 4
    assert placed(Path(TAR)) == Path("resources/manual/sun397/a.tar")
