"""What a study needs of others, and where it is or can be had."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from freeze_or_tune.data.downloads.asking import Wish, addresses
from freeze_or_tune.data.downloads.catalogue import Download, table_of
from freeze_or_tune.planning.availability import look, needs, offline
from freeze_or_tune.records.availability import Answer, Availability
from freeze_or_tune.study.reading import load_study, read_study

ROOT = Path(__file__).parents[2]
PAPER, TABLE = read_study(ROOT / "config/paper.yaml"), table_of(str(ROOT / "config/downloads.csv"))
SUN = "resources/downloads/sun397/SUN397.tar.gz"


def world(**states: str) -> object:
    """Addresses of these files answer so, all others are alive."""

    def answers(wanted: Iterable[Wish]) -> Iterator[tuple[Wish, Answer]]:
        for one in wanted:
            name = one.file.partition(".")[0] if isinstance(one, Download) else "hub"
            for url in addresses(one):
                state = states.get(name, states.get("others", "alive"))
                yield one, Answer(address=url, state=state, words="" if state == "alive" else "words", bytes=5)  # type: ignore[arg-type]

    return answers


def looked(folder: Path, **states: str) -> Availability:
    return look(PAPER, TABLE, folder, world(**states))  # type: ignore[arg-type]


def of(found: Availability, name: str):
    return next(needed for needed in found.needed if needed.name == name)


def test_the_paper_s_study_names_all_that_it_needs() -> None:
    wanted = {wish.name: wish.choices for wish in needs(PAPER)}
    assert list(wanted) == [
        "imagenet", "imagenet-a", "imagenet-b", "caltech256", "sun397", "mit-indoor", "cub200", "coral", "plankton",
        "weights of imagenet",
    ]  # fmt: skip
    assert [files for _, files in wanted["sun397"]][:2] == [(SUN,), ("resources/manual/sun397/SUN397",)]
    assert [Path(file).suffix for file in wanted["weights of imagenet"][0][1]] == [".caffemodel", ".npy"]


def test_what_has_no_address_or_is_gone_is_missing_and_says_how_to_place_it(tmp_path: Path) -> None:
    found = looked(tmp_path, SUN397="dead", hub="dead")
    assert {needed.name for needed in found.missing} == {"imagenet", "imagenet-a", "imagenet-b", "sun397", "coral"}
    (tar,) = of(found, "sun397").choices[0].files
    assert (tar.state, tar.told, [answer.state for answer in tar.answers]) == ("missing", "dead", ["dead"])
    assert tar.by_hand.folder == f"{tmp_path}/resources/manual/sun397"
    assert tar.by_hand.what.startswith("SUN397.tar.gz (39,077,296,924 bytes, sha256 f404130965a7")
    assert "https://huggingface.co/datasets/1aurent/SUN397" in tar.by_hand.pages
    (folder,) = of(found, "sun397").choices[1].files
    assert (folder.state, folder.told) == ("missing", "absent")
    (shards,) = of(found, "sun397").choices[2].files
    assert (shards.told, shards.by_hand.pages) == ("dead", ("https://huggingface.co/datasets/1aurent/SUN397",))
    assert "hf download 1aurent/SUN397 --repo-type dataset --local-dir" in shards.by_hand.what
    (train, *_) = of(found, "imagenet").choices[0].files
    assert (train.told, train.by_hand.pages, train.answers) == ("by hand", ("https://image-net.org",), ())


def test_an_alternative_that_is_there_will_do(tmp_path: Path) -> None:
    (tmp_path / "resources/manual/sun397/SUN397").mkdir(parents=True)
    assert of(looked(tmp_path, SUN397="dead", hub="dead"), "sun397").had


def test_a_dataset_of_the_hub_will_do(tmp_path: Path) -> None:
    found = of(looked(tmp_path, SUN397="dead"), "sun397")
    assert found.had
    (shards,) = found.choices[2].files
    assert (shards.path, shards.state, shards.bytes) == ("resources/hub/1aurent--SUN397", "alive", 5)


def test_one_address_of_several_will_do(tmp_path: Path) -> None:
    def first_gone(rows: Iterable[Wish]) -> Iterator[tuple[Wish, Answer]]:
        for row, answer in world()(rows):  # type: ignore[operator]
            yield row, answer.model_copy(update={"state": "dead"} if answer.address == addresses(row)[0] else {})

    found = look(PAPER, TABLE, tmp_path, first_gone)
    (tar,) = of(found, "caltech256").choices[0].files
    assert (tar.state, [answer.state for answer in tar.answers]) == ("alive", ["dead", "alive"])
    assert not of(found, "cub200").had


@pytest.mark.parametrize("where", ["downloads", "manual"])
def test_what_is_here_is_not_asked_for(tmp_path: Path, where: str) -> None:
    path = tmp_path / "resources" / where / "mit-indoor/TrainImages.txt"
    path.parent.mkdir(parents=True)
    path.write_text("kitchen/a.jpg\n")
    asked = []

    def noting(rows: Iterable[Wish]) -> Iterator[tuple[Wish, Answer]]:
        asked.extend(row.file for row in rows if isinstance(row, Download))
        yield from ()

    found = look(PAPER, TABLE, tmp_path, noting)
    assert "TrainImages.txt" not in asked
    file = next(file for file in of(found, "mit-indoor").choices[0].files if file.path.endswith("TrainImages.txt"))
    assert (file.state, file.bytes) == ("here" if where == "downloads" else "placed", 14)
    path.write_bytes(b"<!doctype html>")
    file = next(
        file
        for file in of(look(PAPER, TABLE, tmp_path, noting), "mit-indoor").choices[0].files
        if file.path.endswith("TrainImages.txt")
    )
    assert (file.state, file.words) == ("wrong", f"{path} is a web page, often a login or an error page")


def test_no_way_out_is_not_that_all_is_gone(tmp_path: Path) -> None:
    assert offline(looked(tmp_path, others="silent"))
    assert not offline(looked(tmp_path, others="silent", CUB_200_2011="dead"))
    embedded = read_study(ROOT / "config/config.yaml")
    alone = look(embedded, TABLE, tmp_path, world(others="silent"))  # type: ignore[arg-type]
    assert not offline(alone)  # an index of packages may be one's own


def test_a_network_by_its_name_is_looked_for_on_the_hub(tmp_path: Path) -> None:
    study = read_study(ROOT / "config/config.yaml").model_dump(exclude_unset=True, mode="json")
    study |= {"network": "resnet18.a1_in1k"}
    found = look(load_study(study), TABLE, tmp_path, world())  # type: ignore[arg-type]
    (file,) = of(found, "weights of resnet18.a1_in1k").choices[0].files
    assert file.answers[0].address == "hub:timm/resnet18.a1_in1k"
