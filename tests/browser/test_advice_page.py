"""The page of advice in a real browser: wide and narrow, by day and by night, and its commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..analysis.advice.test_web import advised, rendered, studied


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    path = folder / "birds.html"
    path.write_text(rendered(advised(studied(folder))))
    return path


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")], ids=str)
def page(request: pytest.FixtureRequest, browser: Browser, page_file: Path) -> Iterator[Page]:
    """The page; an error that it tells of, or a request that leaves it, fails the test."""
    width, scheme = request.param
    problems: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 800}, offline=True, color_scheme=scheme)
    opened = context.new_page()
    opened.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", lambda r: problems.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    opened.goto(page_file.as_uri())
    yield opened
    context.close()
    assert problems == []


def test_nothing_is_wider_than_the_window_and_text_stands_out(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    brightness = [sum(map(int, colour[4:-1].split(","))) / 3 for colour in (ink, paper)]
    assert abs(brightness[0] - brightness[1]) > 150
    expect(page.locator("h1")).to_contain_text("Fine-tune")


def test_the_race_and_the_profile_are_drawn_where_their_numbers_say(page: Page) -> None:
    winner, other = page.locator(".lane svg").all()
    for lane, share in ((winner, 0.84), (other, 0.81)):
        track, dot = (lane.locator(f".{kind}").bounding_box() for kind in ("track", "dot"))
        assert track is not None
        assert dot is not None
        middle = (dot["x"] + dot["width"] / 2 - track["x"]) / track["width"]
        assert middle == pytest.approx(share, abs=0.02)
    assert page.locator(".profile circle").count() == 5
    assert page.locator(".lane .name").first.inner_text() == "T(1-7)R(8) ✓"


def test_a_button_takes_the_command(page: Page) -> None:
    page.locator('[data-copy="make"]').click()
    expect(page.locator('[data-copy="make"]')).to_have_text("Copied")
    taken = "freeze-or-tune model 'my birds'"
    assert page.evaluate("getSelection().toString()") == taken


def test_the_numbers_are_there_as_a_table(page: Page) -> None:
    page.locator("summary").click()
    expect(page.get_by_role("cell", name="90.0 %")).to_be_visible()
