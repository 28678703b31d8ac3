"""`downloads`, as people see it: against a local server, and where nothing answers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from freeze_or_tune.__main__ import main
from freeze_or_tune.data.downloads import asking
from freeze_or_tune.data.downloads.catalogue import COLUMNS
from freeze_or_tune.data.downloads.http import Patience

from ..data.downloads.server import Served, Server, serving

NETWORK = {"image_size": 64, "crop": 60, "channels": [8, 8, 8, 8, 8], "features": 16}
STUDY = {
    "name": "s",
    "downloads": "table.csv",
    "datasets": {
        "letters": {"reader": "digits"},
        "birds": {"reader": "cub-200", "files": ["resources/downloads/birds/birds.tgz"]},
        "scenes": {
            "reader": "sun397",
            "files": ["resources/downloads/scenes/SUN397.tar.gz"],
            "alternatives": [{"reader": "sun397", "files": ["unpacked/SUN397"]}],
        },
        "unused": {"reader": "sun397", "files": ["resources/downloads/unused/x.tar.gz"]},
    },
    "networks": {"net": NETWORK},
    "sources": {"letters": {"dataset": "letters", "network": "net", "pretraining": {"n": 2, "val": 1, "test": 1}}},
    "targets": {
        name: {"dataset": name, "source": "letters", "n": [1], "val": 1, "test": 1} for name in ("birds", "scenes")
    },
    "schemes": ["T1-7_R8"],
}
Ask = Callable[..., int]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(asking, "QUICK", Patience((), 0.5))
    monkeypatch.setattr(asking.ask_all, "__defaults__", (Patience((), 0.5),))
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY))
    with serving() as server:
        server.served["/birds.tgz"] = Served(b"birds")
        table(server.url("/birds.tgz"), server.url("/SUN397.tar.gz"))
        yield server


def table(birds: str, scenes: str) -> None:
    rows = [
        f"birds,birds.tgz,{birds},,https://page.org/birds,5,md5,,free,,",
        f"scenes,SUN397.tar.gz,{scenes},,https://page.org/sun,7,md5,{32 * 'a'},see page,"
        "dead 2026-06-25 pytorch/vision#9348,https://elsewhere.org/sun",
    ]
    Path("table.csv").write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")


def asked(*options: str) -> int:
    return main(["downloads", "--configfile", "study.yaml", *options])


def test_what_cannot_be_had_ends_with_1_and_how_to_place_it(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked() == 1
    said = capsys.readouterr().out
    gone = f"{server.url('/SUN397.tar.gz')}: the server answered 404 Not Found"
    assert "  alive           0.0 MB  resources/downloads/birds/birds.tgz\n" in said
    assert "! scenes\n  dead            0.0 MB  resources/downloads/scenes/SUN397.tar.gz\n" in said
    assert f"{gone}\n  or, read as sun397:\n  absent               ?  unpacked/SUN397\n" in said
    assert "\ncannot be had from here: scenes\n" in said
    assert f"\nresources/manual/scenes/\n  SUN397.tar.gz (7 bytes, md5 {32 * 'a'})\n" in said
    assert (
        "  from https://page.org/sun (licence: see page)\n  or, perhaps in another form, https://elsewhere.org/" in said
    )
    assert said.endswith("\ninstead of all of scenes: unpacked/SUN397\n")
    assert "unused" not in said
    assert not Path("resources").exists()


def test_only_what_is_missing(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("--missing") == 1
    assert "birds" not in capsys.readouterr().out


def test_an_alternative_is_enough(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    Path("unpacked/SUN397").mkdir(parents=True)
    assert asked() == 0
    assert capsys.readouterr().out.endswith("\nall of it is here or can be fetched\n")


def test_for_programs(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("--json") == 1
    found = json.loads(capsys.readouterr().out)
    birds, scenes = found["needed"]
    assert birds["choices"][0]["files"][0]["state"] == "alive"
    assert scenes["choices"][0]["files"][0]["answers"][0]["words"] == "the server answered 404 Not Found"


def test_without_a_way_out_one_sentence(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    table("http://nowhere.invalid/birds.tgz", "http://127.0.0.1:9/SUN397.tar.gz")
    Path("unpacked/SUN397").mkdir(parents=True)
    assert asked() == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "error: no address answered: this machine seems to have no way out; set HTTPS_PROXY, or ask on another one "
        "(what is here already: scenes)\n"
    )


def test_a_study_that_needs_nothing(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    alone = STUDY | {"targets": {"letters-too": STUDY["targets"]["birds"] | {"dataset": "letters"}}}  # type: ignore[index]
    Path("study.yaml").write_text(yaml.safe_dump(alone))
    assert asked() == 0
    assert capsys.readouterr().out == "the study s needs no files of others\n"


def test_a_study_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["downloads", "--configfile", "nothing.yaml"]) == 1
    assert capsys.readouterr().err.startswith("error: there is no study nothing.yaml; give a file, or one of those")
