"""The report's page as people use it: with a mouse, a keyboard, a phone, by day and by night."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from freeze_or_tune.analysis.page.write import write_page

from ..analysis.conftest import SCHEMES, Results
from ..analysis.synthetic import searching, study
from .conftest import PATIENCE

Open = Callable[..., Page]

LARGE = "results/experiments/near-by/n100/T1-7_R8.json"

DRAWN = "id => document.getElementById(id).data.flatMap(trace => trace.customdata)"
"""What the points of a figure stand for: places in the page's lists."""

POINT = """([id, place]) => {
  const points = [...document.getElementById(id).querySelectorAll(".points path")];
  const box = points.find(point => point.__data__.data === place).getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""


def drawn(page: Page, figure: str) -> list[int]:
    return page.evaluate(DRAWN, figure)


def uncheck(page: Page, name: str, value: str) -> None:
    page.locator(f'#filters input[name="{name}"][value="{value}"]').uncheck()


def point_at(page: Page, figure: str, place: int, words: str) -> tuple[str, tuple[float, float]]:
    """Point at what stands for a place in the page's list; the hint, once it holds `words`, and where that is."""
    page.locator(f"#{figure}").scroll_into_view_if_needed()
    x, y = page.evaluate(POINT, [figure, place])
    page.mouse.move(x + 30, y + 30)
    page.mouse.move(x, y, steps=4)
    hint = page.locator("#hint")
    expect(hint).to_contain_text(words, timeout=PATIENCE)
    return hint.inner_text(), (x, y)


def experiments(page: Page) -> list[dict[str, Any]]:
    return page.evaluate("DATA.experiments")


def place_of(page: Page, path: str) -> int:
    return [experiment["path"] for experiment in experiments(page)].index(path)


def test_it_loads_and_draws_everything_it_was_given(report: Path, opened: Open) -> None:
    page = opened(report)
    rows = pd.read_csv(report.parents[1] / "experiments.csv").groupby(["target", "n", "scheme"]).size()
    assert sorted(drawn(page, "accuracy")) == list(range(len(rows)))
    assert sorted(drawn(page, "ratio")) == list(range(9))
    assert page.locator("#count").inner_text() == "54 of 54 experiments"
    sizes = page.locator(".dataset img").evaluate_all("all => all.map(image => image.naturalWidth)")
    assert sizes == [68, 68]


def test_its_own_policy_keeps_it_from_any_network(report: Path, browser: Browser) -> None:
    with browser.new_page() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(report.as_uri())
        assert page.evaluate("fetch('https://example.org').then(() => 'came', () => 'refused')") == "refused"
        assert not [address for address in asked if address.startswith("http")]


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("target", "far-off", "target"),
        ("scheme", "F1-5_R6-8", "scheme"),
        ("distance_level", "M", "distance_level"),
        ("data_level", "H", "data_level"),
    ],
)
def test_a_filter_takes_its_experiments_out_of_figures_and_table(
    report: Path, opened: Open, name: str, value: str, key: str
) -> None:
    page = opened(report)
    everything = experiments(page)
    uncheck(page, name, value)
    left = [place for place, experiment in enumerate(everything) if experiment[key] != value]
    assert 0 < len(left) < 54
    assert sorted(drawn(page, "accuracy")) == left
    pairs = page.evaluate("DATA.pairs")
    assert sorted(drawn(page, "ratio")) == [
        i for i, pair in enumerate(pairs) if {pair["tuned"], pair["frozen"]} <= set(left)
    ]
    assert page.locator("#count").inner_text() == f"{len(left)} of 54 experiments"
    while page.locator("#more").is_visible():
        page.locator("#more").click()
    assert page.locator("#experiments tbody tr").count() == len(left)


def test_nothing_chosen_draws_nothing_and_all_brings_it_back(report: Path, opened: Open) -> None:
    page = opened(report)
    page.get_by_role("button", name="Scheme: none").click()
    assert drawn(page, "accuracy") == drawn(page, "ratio") == []
    expect(page.locator("#accuracy")).to_contain_text("No experiment passes the filters")
    expect(page.locator("#accuracy .xtick, #accuracy .ytick")).to_have_count(0)
    expect(page.locator("#ratio")).to_contain_text("No pair with a known distance passes the filters")
    page.get_by_role("button", name="Scheme: all").click()
    expect(page.locator("#accuracy")).not_to_contain_text("No experiment")
    assert len(drawn(page, "accuracy")) == 54


def test_pointing_at_a_pair_shows_both_experiments_with_path_and_command(report: Path, opened: Open) -> None:
    page = opened(report)
    pair = page.evaluate("DATA.pairs[0]")
    hint, _ = point_at(page, "ratio", 0, f"{pair['ratio']:.3f}")
    for side in ("tuned", "frozen"):
        path = experiments(page)[pair[side]]["path"]
        assert re.fullmatch(r"results/experiments/near-by/n\d+/[TF]1-7_R8\.json", str(path))
        assert f"{path}\n" in hint
        assert f"snakemake -f {path}" in hint
    page.keyboard.press("Escape")
    page.wait_for_selector("#hint", state="hidden")


def test_pointing_at_an_experiment_shows_its_path_and_command(report: Path, opened: Open) -> None:
    page = opened(report)
    hint, _ = point_at(page, "accuracy", place_of(page, LARGE), "T(1-7)R(8) on near-by, 100 images a class")
    assert f"{LARGE}\n" in hint
    assert f"snakemake -f {LARGE}" in hint


def test_a_path_with_odd_letters_is_quoted_for_the_shell(report: Path, opened: Open) -> None:
    page = opened(report)
    for path in ("results/a b.json", "it's.json", "$(reboot).json", "é;x&y.json"):
        shown = page.evaluate("path => command({ path })", path)
        assert shlex.split(shown) == ["snakemake", "-f", path]
        assert shown.startswith("snakemake -f '")


def test_a_click_shows_the_learning_curves_of_each_run(report: Path, opened: Open) -> None:
    page = opened(report)
    place = place_of(page, LARGE)
    _, where = point_at(page, "accuracy", place, LARGE)
    page.mouse.click(*where)
    expect(page.locator("#choose-n")).to_have_value("100")
    assert page.locator("#command").inner_text() == f"snakemake -f {LARGE}"
    lines = page.evaluate("document.getElementById('curves').data.filter(t => t.mode === 'lines' && t.opacity === 1)")
    assert [line["y"] for line in lines] == [curve["val_accuracy"] for curve in experiments(page)[place]["curves"]]
    page.get_by_role("radio", name="training loss").check()
    losses = page.evaluate("document.getElementById('curves').data.filter(t => t.opacity === 1).map(t => t.y)")
    assert losses == [curve["loss"] for curve in experiments(page)[place]["curves"]]


def test_the_horizontal_axis_can_be_distance(report: Path, opened: Open) -> None:
    page = opened(report)
    page.get_by_role("radio", name="by distance").check()
    xs = page.evaluate("document.getElementById('ratio').data.flatMap(trace => trace.x)")
    assert sorted({round(x, 2) for x in xs}) == [0.06, 0.31, 0.52]
    assert page.locator("#ratio-legend li").all_inner_texts() == ["Low (1–20)", "Large (≥ 100)"]


def test_everything_can_be_done_with_the_keyboard(report: Path, opened: Open) -> None:
    page = opened(report)
    focus: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        described = page.evaluate("""() => {
          const it = document.activeElement;
          const style = getComputedStyle(it.closest(".pill") ?? it);
          const visible = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
          return [`${it.tagName} ${it.name ?? ""} ${it.value || it.textContent.trim().slice(0, 20)}`, visible];
        }""")
        if described[0].startswith("BODY"):
            break
        assert described[1], f"the focus on {described[0]} cannot be seen"
        focus.append(described[0])
        if described[0] == "INPUT target half-way":
            page.keyboard.press("Space")
    places = {experiment["target"] for i, experiment in enumerate(experiments(page)) if i in drawn(page, "accuracy")}
    assert places == {"near-by", "far-off"}
    for control in (
        *(f"INPUT scheme {scheme}" for scheme in SCHEMES),
        "INPUT across n",
        "SELECT  near-by",
        "BUTTON  Copy",
    ):
        assert control in focus
    assert len([control for control in focus if control == "BUTTON  Curves"]) >= 10


def test_accuracies_by_frozen_blocks(tmp_path: Path, opened: Open) -> None:
    """A line a split, from all tuned to all frozen; what has other random blocks, or is a variant, is not on it."""
    along = ("T1-7_R8", "F1-2_T3-7_R8", "F1-5_T6-7_R8", "F1-7_R8")
    results = study(tmp_path, schemes=(*along, "T1-7_R8b", "F1-2_T3-5_R6-8", "T1-5_R6-8"))
    write_page(results.csv, results.experiments, [], tmp_path / "index.html", sources={})
    page = opened(tmp_path / "index.html")
    assert len(drawn(page, "accuracy")) == 7 * 9
    page.get_by_label("by frozen blocks").check()
    lines = page.evaluate(
        "document.getElementById('accuracy').data.map(trace => [trace.name, trace.x.map(Math.round)])"
    )
    assert lines == [[f"n = {n}", [0, 2, 5, 7]] for _ in range(3) for n in (1, 10, 100)]
    assert {experiments(page)[place]["scheme"] for place in drawn(page, "accuracy")} == set(along)
    hint, _ = point_at(
        page, "accuracy", place_of(page, experiments(page)[drawn(page, "accuracy")[1]]["path"]), "F(1-2)"
    )
    assert "F(1-2)T(3-7)R(8)" in hint
    page.get_by_role("radio", name="by images a class").last.check()
    assert len(drawn(page, "accuracy")) == 7 * 9


def test_without_schemes_between_there_is_nothing_to_switch(report: Path, opened: Open) -> None:
    assert opened(report).locator('input[name="along"]').count() == 0


def test_a_row_of_the_table_leads_to_its_curves_by_keyboard(report: Path, opened: Open) -> None:
    page = opened(report)
    button = page.get_by_role("button", name="Learning curves of results/experiments/near-by/n10/F1-5_R6-8.json")
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator("#command").inner_text().endswith("near-by/n10/F1-5_R6-8.json")
    assert page.evaluate("document.activeElement.id") == "experiment"


def test_the_lists_lead_to_an_experiment_that_exists(report: Path, opened: Open) -> None:
    page = opened(report)
    page.locator("#choose-target").select_option("far-off")
    page.locator("#choose-n").select_option("10")
    page.locator("#choose-scheme").select_option("F1-3_R4-8")
    assert page.locator("#command").inner_text() == "snakemake -f results/experiments/far-off/n10/F1-3_R4-8.json"


def test_each_figure_has_its_numbers_as_a_table(report: Path, opened: Open) -> None:
    page = opened(report)
    page.locator("#ratio-numbers summary").click()
    page.locator("#curve-numbers summary").click()
    page.wait_for_selector("#curve-numbers tbody tr")
    assert page.locator("#ratio-numbers tbody tr").count() == 9
    assert page.locator("#curve-numbers tbody tr").count() == 2 * 10
    pair = page.evaluate("DATA.pairs[0]")
    row = page.locator("#ratio-numbers tbody tr").first.inner_text().split("\t")
    assert row[0] == "near-by"
    assert row[-2:] == [f"{pair['ratio']:.3f}", f"{pair['low']:.3f}–{pair['high']:.3f}"]


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_is_wider_than_a_narrow_screen(report: Path, opened: Open, width: int) -> None:
    page = opened(report, width, 800, has_touch=True, is_mobile=True)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    page.wait_for_selector("#curve-numbers tbody tr")
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
    plots = page.locator(".plot .main-svg").evaluate_all("all => all.map(svg => svg.getBoundingClientRect().right)")
    assert max(plots) <= width


@pytest.mark.parametrize("width", [390, 1200])
def test_axes_have_room_for_their_words(report: Path, opened: Open, width: int) -> None:
    page = opened(report, width, 900)
    for figure in ("ratio", "curves"):
        title, ticks = page.locator(f"#{figure} .ytitle").bounding_box(), page.locator(f"#{figure} .ytick text")
        boxes = [tick.bounding_box() for tick in ticks.all()]
        assert title is not None
        assert all(box is not None and box["x"] > title["x"] + title["width"] for box in boxes)
    # The last iteration, at the very end of the axis.
    expect(page.locator("#curves .xtick text", has_text="200")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1200])
def test_the_recommendations_are_seen_whole(report: Path, opened: Open, width: int) -> None:
    page = opened(report, width, 900)
    sizes = page.locator(".scroll:has(.advice)").evaluate(
        "box => [box.scrollWidth, box.clientWidth, box.scrollHeight, box.clientHeight]"
    )
    assert sizes[0] == sizes[1]
    assert sizes[2] == sizes[3]


def test_a_phone_shows_the_hint_within_the_screen(report: Path, opened: Open) -> None:
    page = opened(report, 390, 844)
    point_at(page, "accuracy", place_of(page, LARGE), LARGE)
    box = page.locator("#hint").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


LUMINANCE = """selector => {
  const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(document.querySelector(selector));
  const [a, b] = [light(style.color), light(getComputedStyle(document.body).backgroundColor)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_by_day_and_by_night(report: Path, opened: Open, scheme: str) -> None:
    page = opened(report, color_scheme=scheme)
    for selector in ("h1", ".eyebrow", "b.tune", ".paper", "summary", ".facts dt", "button.plain", "figcaption p"):
        assert page.evaluate(LUMINANCE, selector) >= 4.5, selector
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (dark == "rgb(255, 255, 255)") == (scheme == "light")


def test_changing_to_dark_draws_the_figures_anew(report: Path, opened: Open) -> None:
    page = opened(report, color_scheme="light")
    words = page.locator("#ratio .xtitle")
    before = words.evaluate("words => getComputedStyle(words).fill")
    page.emulate_media(color_scheme="dark")
    expect(words).not_to_have_css("fill", before)


def test_the_switch_shows_what_one_rate_says(tmp_path: Path, opened: Open) -> None:
    results = Results(tmp_path / "results")
    searched = searching(results)
    report = results.root / "report/index.html"
    write_page(results.csv, results.experiments, [], report, sources={"latin-a": "latin"}, one_rate=searched.one_rate)
    page = opened(report)
    answer, table = page.locator(".answer:visible"), page.locator("table.advice:visible")
    expect(answer).to_contain_text("Tuning the copied layers was clearly better")
    expect(table).to_contain_text("1.50")
    assert page.evaluate("document.getElementById('ratio').data[0].y") == pytest.approx([1.5])
    page.get_by_label("at one rate").check()
    expect(answer).to_contain_text("Freezing the copied layers was clearly better")
    expect(table).to_contain_text("0.50")
    assert page.evaluate("document.getElementById('ratio').data[0].y") == pytest.approx([0.5])
    expect(page.locator("#experiments tbody tr").first).to_contain_text("0.300")
    expect(page.locator("#facts")).to_contain_text("0.300")
    page.get_by_label("each at its best").check()
    expect(page.locator("#facts")).to_contain_text("0.900")
