"""Addresses of datasets of the Hub, and the folders that they are fetched to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.study.hub import HubDataset, of_folder, parse
from freeze_or_tune.study.images import Parquet

NAMES = st.from_regex(r"\A[A-Za-z0-9]([._-]?[A-Za-z0-9])*\Z").filter(lambda name: "--" not in name)
REVISIONS = st.just("") | NAMES | NAMES.map("refs/pr/{}".format) | st.just("refs/convert/parquet")
SUBSETS = st.just("") | st.text(min_size=1).filter(lambda text: not set("/@\n") & set(text))


@given(NAMES, NAMES, REVISIONS, SUBSETS)
def test_an_address_and_a_folder_say_the_same(owner: str, name: str, revision: str, subset: str) -> None:
    dataset = HubDataset(f"{owner}/{name}", revision, subset)
    assert of_folder(dataset.folder) == dataset
    assert parse(dataset.address) == dataset
    assert "/" not in dataset.folder


@pytest.mark.parametrize(
    ("address", "dataset"),
    [
        ("hf://a/b", HubDataset("a/b")),
        ("hf://datasets/a/b/", HubDataset("a/b")),
        ("hf://datasets/b", HubDataset("datasets/b")),
        ("hf://a/b@refs%2Fpr%2F1", HubDataset("a/b", "refs/pr/1")),
        ("hf://a/b@refs/convert/parquet/en", HubDataset("a/b", "refs/convert/parquet", "en")),
        ("hf://datasets/a/b@v1/en", HubDataset("a/b", "v1", "en")),
    ],
)
def test_how_people_write_them(address: str, dataset: HubDataset) -> None:
    assert parse(address) == dataset


@pytest.mark.parametrize(
    "address", ["hf://", "hf://b", "hf://a/b/c/d", "hf://a--c/b", "hf://../b", "hf://a/b@", "hf:/a/b"]
)
def test_what_is_none(address: str) -> None:
    with pytest.raises(
        ValueError, match="is no dataset of the Hugging Face Hub; one is written hf://<owner>/<name>, hf:"
    ):
        parse(address)


def test_the_files_of_a_dataset_lie_where_they_are_fetched_to() -> None:
    dataset = Parquet(reader="parquet", path="hf://datasets/a/b@v1/en")
    assert (dataset.path, dataset.files) == ("hf://a/b@v1/en", ("resources/hub/a--b@v1+en",))
