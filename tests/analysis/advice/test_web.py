"""The page for a browser, as text: what is on it, and that names of files and classes do no harm."""

import re
from pathlib import Path

import pytest

from freeze_or_tune.analysis.advice.counsel import counsel
from freeze_or_tune.analysis.advice.picture import picture
from freeze_or_tune.analysis.advice.web import Shown, render
from freeze_or_tune.analysis.show.style import write_figure
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.records.probes import Mistake

from ..conftest import Results
from .own import check, distance, profile, race, raced

EVIL = '<script>alert("x")</script>'
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
MISTAKE = Mistake(image=f"{EVIL}.jpg", label=EVIL, answer="wren", probability=0.98)


def studied(root: Path) -> Evidence:
    """A near target, better frozen."""
    results = Results(root)
    results.experiment("near", 5, "T1-7_R8", [0.5])
    results.experiment("near", 5, "F1-7_R8", [0.6])
    results.distance("near", "cosine", 0.1)
    return Evidence.read(results.collect())


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return studied(tmp_path_factory.mktemp("study"))


def advised(known: Evidence, raced_too: bool = True) -> Advice:
    won = race(
        raced("T1-7_R8", 0.84, 90, 60), raced("F1-7_R8", 0.81, 90, 2, 0.03, -0.04, 0.1), verdict="open", more_images=410
    )
    profiles = [profile("latin-a", 0.6, 0.5, 0.9, mistakes=(MISTAKE,)), profile("other", 0.3, 0.8)]
    return counsel(check(5), profiles, [distance(0.1)], won if raced_too else None, known, {"latin-a": 8, "other": 5})


def rendered(advice: Advice) -> str:
    shown = [Shown(EVIL, 7, (DOT, DOT)), Shown("wren", 9, (DOT,))]
    return render(advice, shown, [(MISTAKE, DOT)], "freeze-or-tune model 'my birds'", Path("results/m.safetensors"))


def test_it_says_what_to_do_and_why(known: Evidence) -> None:
    html = rendered(advised(known))
    for words in (
        "<h1>Fine-tune, as far as these images can say</h1>", "some 410 more to test on might.",
        "freeze-or-tune model &#39;my birds&#39;", "freeze-or-tune predict results/m.safetensors photo.jpg",
        "tuned: 84.0 % (", "frozen: 81.0 % (",
        "Links; they are left out: 2", "0.100 (low); 5 training images a class", "say <b>Freeze</b>",
    ):  # fmt: skip
        assert words in html, words
    assert "There was none: a budget of 0 was asked for." in rendered(advised(known, raced_too=False))


def test_the_picture_of_the_profile_has_its_numbers(known: Evidence) -> None:
    html = rendered(advised(known))
    lines = re.findall(r'<polyline points="([^"]+)"', html)
    assert [[tuple(map(float, point.split(","))) for point in line.split()] for line in lines] == [
        [(0.0, pytest.approx(88)), (320.0, pytest.approx(110)), (640.0, pytest.approx(22))],
        [(0.0, pytest.approx(154)), (640.0, pytest.approx(44))],
    ]
    assert "<title>latin-a, block 3: 90.0 % (" in html
    assert html.count("<tr><td>latin-a</td>") == 3


def test_names_are_text_and_nothing_comes_from_elsewhere(known: Evidence) -> None:
    html = rendered(advised(known))
    assert EVIL not in html
    assert html.count("&lt;script&gt;alert") == 3  # a class, and a mistake's label and image
    assert not re.search(r'(src|href)="(?!data:|#)', html)


def test_the_picture_is_drawn_with_and_without_a_race(known: Evidence, tmp_path: Path) -> None:
    for raced_too in (True, False):
        advice = advised(known, raced_too)
        profiles, lanes = picture(advice).axes
        assert [len(line.get_xdata()) for line in profiles.lines if line.get_marker() not in ("None", "")] == [3, 2]
        assert len(lanes.containers) == 2 * raced_too
        write_figure(lambda advice=advice: picture(advice), [tmp_path / "a.png", tmp_path / "a.pdf"])
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
