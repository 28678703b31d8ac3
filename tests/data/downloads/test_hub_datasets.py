"""Datasets of the Hub by name: what is needed of them, whole, in one revision, or words that say what to do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from freeze_or_tune.data.downloads.hub import revision_of

from .hub import Dataset, Hub, hubbing

PARQUET = {"data/train-00000-of-00001.parquet": b"train" * 99, "data/test-00000-of-00001.parquet": b"test" * 99}
BESIDE = {"README.md": b"a card", ".gitattributes": b"lfs", "load.py": b"import this"}
# A process each: the library reads its settings when it is imported. It waits seconds between attempts.
FETCH = """
import sys, time
from pathlib import Path
from freeze_or_tune.data.downloads.hub_datasets import fetch_dataset
from freeze_or_tune.study.hub import parse
from freeze_or_tune.system.errors import UserError
time.sleep = lambda seconds: None
try:
    fetch_dataset(Path("hub", parse(sys.argv[1]).folder))
except (UserError, ValueError) as error:
    sys.exit(str(error))
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hubbing() as hub:
        hub.datasets["me/birds"] = Dataset(PARQUET | BESIDE)
        yield hub


def fetched(folder: Path, hub: Hub, address: str, **variables: str) -> str:
    """What is said when a dataset cannot be fetched; nothing if it was."""
    (folder / "hub").mkdir(exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    settings = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(folder / "home"), "HF_TOKEN": "hf_mine"}
    done = subprocess.run(
        [sys.executable, "-c", FETCH, address], cwd=folder, env=clean | settings | variables, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.stderr if done.returncode else ""


def held(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_needed_is_fetched_once_and_its_revision_noted(hub: Hub, tmp_path: Path) -> None:
    assert fetched(tmp_path, hub, "hf://me/birds") == ""
    there = tmp_path / "hub/me--birds"
    assert held(there) == PARQUET
    assert revision_of(there) == 40 * "d"
    assert sorted(path.name for path in (tmp_path / "hub").iterdir()) == ["me--birds", "me--birds.revision"]
    assert hub.tokens == {"Bearer hf_mine"}
    assert not list((tmp_path / "home").rglob("*.parquet"))  # one copy


def test_it_is_fetched_again_in_the_revision_of_the_first_time(hub: Hub, tmp_path: Path) -> None:
    fetched(tmp_path, hub, "hf://me/birds")
    there = tmp_path / "hub/me--birds"
    there.rename(tmp_path / "moved")
    hub.log.clear()
    assert fetched(tmp_path, hub, "hf://me/birds") == ""
    assert hub.log[0].startswith(f"GET /api/datasets/me/birds/revision/{40 * 'd'}?")
    there.rename(tmp_path / "moved again")
    hub.datasets["me/birds"].revision = 40 * "e"
    said = fetched(tmp_path, hub, "hf://me/birds")
    assert f"me/birds has no revision {40 * 'd'} any more, that of the first download" in said
    assert not there.exists()


def test_what_has_come_before_a_line_broke_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    first, second = PARQUET
    hub.datasets["me/birds"].short = {second: 99}
    hub.datasets["me/birds"].files[second] = bytes(10_000_000)
    said = fetched(tmp_path, hub, "hf://me/birds")
    there = tmp_path / "hub/me--birds"
    if said:  # the library itself may have asked for the rest
        assert "Run again to go on" in said
        assert not there.exists()
        hub.log.clear()
        assert fetched(tmp_path, hub, "hf://me/birds") == ""
        assert f"GET /dataset-lfs/me/birds/{first}" not in hub.log
    assert len(held(there)[second]) == 10_000_000


def test_images_and_tables_are_fetched_where_there_is_no_parquet(hub: Hub, tmp_path: Path) -> None:
    files = {
        "train/a b [1].jpg": b"1",
        "train/metadata.csv": b"file_name,label\n",
        "test/2.png": b"2",
        "labels.txt": b"x",
    }
    hub.datasets["me/birds"] = Dataset(files | BESIDE)
    assert fetched(tmp_path, hub, "hf://datasets/me/birds@v1") == ""
    assert held(tmp_path / "hub/me--birds@v1") == files


WRONG: dict[str, tuple[Dataset | None, str, dict[str, str], str]] = {
    "none": (None, "", {}, "there is no dataset me/birds on http://127.0.0.1"),
    "a gated one": (Dataset(PARQUET, gated=True), "", {}, "is gated: accept its terms on http://127.0.0.1"),
    "no such revision": (Dataset(PARQUET), "@v9", {}, "me/birds has no revision 'v9'; http://127.0.0.1"),
    "a script alone": (Dataset(BESIDE), "", {}, "hf://me/birds@refs/convert/parquet"),
    "no network": (Dataset(PARQUET), "", {"HF_HUB_OFFLINE": "1"}, "hf download me/birds --repo-type dataset --local"),
    "nobody there": (Dataset(PARQUET), "@v1", {"HF_ENDPOINT": "http://127.0.0.1:9"}, "--revision v1 --local-dir"),
    "a way out": (Dataset({"../out.parquet": b"1"}), "", {}, "lists '../out.parquet', which leads out of it"),
    "no address": (Dataset(PARQUET), "/a/b/c", {}, "is no dataset of the Hugging Face Hub; one is written hf://<owner>"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_goes_wrong_is_said_and_leaves_no_dataset(hub: Hub, tmp_path: Path, kind: str) -> None:
    dataset, after, variables, words = WRONG[kind]
    hub.datasets = {"me/birds": dataset} if dataset else {}
    assert words in fetched(tmp_path, hub, f"hf://me/birds{after}", **variables)
    assert not [path for path in (tmp_path / "hub").iterdir() if path.is_dir() and path.name[0] != "."]


def test_other_bytes_than_the_hub_says_are_not_kept(hub: Hub, tmp_path: Path) -> None:
    class Lying(Dataset):
        def listed(self) -> dict[str, object]:
            told = super().listed()
            told["siblings"][0]["lfs"]["sha256"] = 64 * "0"  # type: ignore[index]
            return told

    hub.datasets["me/birds"] = Lying(PARQUET)
    assert "data/train-00000-of-00001.parquet: what came has the sha256" in fetched(tmp_path, hub, "hf://me/birds")
    assert not (tmp_path / "hub/me--birds").exists()


BY_FOLDERS = {"en/train-00000-of-00001.parquet": b"1", "fr/train-00000-of-00001.parquet": b"2"}
CONVERTED = {"plain/train/0000.parquet": b"1", "plain/test/0000.parquet": b"2", "small/train/0000.parquet": b"3"}
CARD = {
    "configs": [
        {"config_name": "cropped", "default": True, "data_files": [{"split": "train", "path": "a/*.parquet"}]},
        {"config_name": "full", "data_files": {"train": "b/**/*.parquet"}},
    ]
}


@pytest.mark.parametrize(
    ("dataset", "address", "wanted"),
    [
        (Dataset(BY_FOLDERS), "hf://me/birds/fr", ["fr/train-00000-of-00001.parquet"]),
        (Dataset(BY_FOLDERS), "hf://me/birds", "several subsets; give one of en, fr, such as hf://me/birds/en"),
        (Dataset(BY_FOLDERS), "hf://me/birds/de", "has no subset 'de'; give one of en, fr"),
        (
            Dataset(CONVERTED),
            "hf://me/birds@refs/convert/parquet/plain",
            ["plain/test/0000.parquet", "plain/train/0000.parquet"],
        ),
        (Dataset({"a/1.parquet": b"1", "b/c/2.parquet": b"2"}, card=CARD), "hf://me/birds", ["a/1.parquet"]),
        (Dataset({"a/1.parquet": b"1", "b/c/2.parquet": b"2"}, card=CARD), "hf://me/birds/full", ["b/c/2.parquet"]),
        (Dataset({"x/train/1.png": b"1", "y/1.png": b"1"}), "hf://me/birds/x", ["x/train/1.png"]),
    ],
)  # fmt: skip
def test_a_subset_is_fetched_alone(
    hub: Hub, tmp_path: Path, dataset: Dataset, address: str, wanted: str | list[str]
) -> None:
    hub.datasets["me/birds"] = dataset
    said = fetched(tmp_path, hub, address)
    if isinstance(wanted, str):
        assert wanted in said
    else:
        assert said == ""
        (there,) = (path for path in (tmp_path / "hub").iterdir() if path.is_dir())
        assert sorted(held(there)) == wanted
