"""The paper's SUN397 in the forms it can be had in today: which one a study takes, that it stays, its splits."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ..data.conftest import unpacked
from ..data.downloads.hub import Dataset, hubbing
from ..data.shards import sun_shards
from .conftest import Snakemake, snakemake_in
from .miniature import copy_workflow, overlaid, picture, sun, sun_files
from .test_paper_study import PAPER, SMALLER

SPLIT = "results/splits/sun397/n1.csv"
TAR = "resources/manual/sun397/SUN397.tar.gz"
pytestmark = pytest.mark.slow
FILES = sun_files()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The paper's study, made small, without any file of others, and a table that knows the original."""
    original = tmp_path / TAR
    original.parent.mkdir(parents=True)
    sun(original, FILES)
    copy_workflow(tmp_path)
    original.rename(tmp_path / "original.tar.gz")
    config = overlaid(yaml.safe_load(PAPER.read_text()), SMALLER)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return tmp_path


@pytest.fixture
def snakemake(folder: Path) -> Snakemake:
    return snakemake_in(folder, folder / "Snakefile", timeout=300)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    shards = sun_shards(tmp_path_factory.mktemp("hub") / "data", {k: v for k, v in FILES.items() if v != b"cut off"}, 2)
    with hubbing() as server:
        server.datasets["1aurent/SUN397"] = Dataset(
            {f"data/{path.name}": path.read_bytes() for path in shards.iterdir()}
        )
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server.datasets["1aurent/SUN397"]


def made(folder: Path, snakemake: Snakemake) -> tuple[bytes, dict[str, object], str]:
    """The split, what the index was made of, and what was said."""
    done = snakemake("--", SPLIT)
    assert done.returncode == 0, done.stdout
    return (folder / SPLIT).read_bytes(), json.loads((folder / "results/indexes/sun397.json").read_text()), done.stdout


def put_original(folder: Path) -> None:
    shutil.copy(folder / "original.tar.gz", folder / TAR)


def test_unpacked_it_has_the_splits_of_the_original_and_stays_what_it_is(folder: Path, snakemake: Snakemake) -> None:
    copy = unpacked(folder / "resources/manual/sun397", FILES) / "SUN397"
    split, index, said = made(folder, snakemake)
    (source,) = index["files"]  # type: ignore[misc]
    assert (source["path"], source["digest"][:6]) == ("resources/manual/sun397/SUN397", "names:")
    assert "sun397 is read from resources/manual/sun397/SUN397, an alternative" in said
    # The original comes later: nothing is made anew, not even when the index is.
    put_original(folder)
    assert "Nothing to be done" in snakemake("--", SPLIT).stdout
    done = snakemake("--forcerun", "index", "--", SPLIT)
    assert done.returncode == 0, done.stdout
    assert json.loads((folder / "results/indexes/sun397.json").read_text()) == index
    assert (folder / SPLIT).read_bytes() == split
    # With the record gone it is chosen anew, and the same images under the same names are drawn.
    shutil.rmtree(folder / "results")
    shutil.rmtree(copy)
    other, index, _ = made(folder, snakemake)
    assert [source["path"] for source in index["files"]] == ["resources/downloads/sun397/SUN397.tar.gz"]  # type: ignore[attr-defined]
    assert index["files"][0]["digest"].startswith("md5:")  # type: ignore[index]
    assert other == split


def test_from_the_hub_it_has_the_classes_of_the_original(folder: Path, snakemake: Snakemake, hub: Dataset) -> None:
    split, index, said = made(folder, snakemake)
    assert "sun397 is read from resources/hub/1aurent--SUN397, an alternative" in said
    assert index["reader"] == "sun397-parquet"
    assert any(hub.revision in finding["words"] for finding in index["findings"])  # type: ignore[attr-defined]
    rows = list(csv.DictReader(split.decode().splitlines()))
    assert {row["class"] for row in rows} == {"abbey", "church/outdoor", "track/outdoor"}
    assert not [row for row in rows if "sun_" in row["image"]]
    put_original(folder)
    assert "Nothing to be done" in snakemake("--", SPLIT).stdout


def test_a_study_with_results_of_the_original_stays_with_it(folder: Path, snakemake: Snakemake) -> None:
    put_original(folder)
    made(folder, snakemake)
    unpacked(folder / "resources/manual/sun397", FILES | {"SUN397/a/abbey/sun_new.jpg": picture(0)})
    (folder / TAR).unlink()
    (folder / "resources/downloads/sun397/SUN397.tar.gz").unlink()
    done = snakemake("--dry-run", "--", SPLIT)
    assert "an alternative" not in done.stdout
