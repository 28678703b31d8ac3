"""Figures 1-3: what is drawn, and whether it can be read."""

import itertools
import logging
import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image
from scipy.stats import binomtest, spearmanr

from freeze_or_tune.analysis.results.table import read_results
from freeze_or_tune.analysis.show import figures, panels
from freeze_or_tune.analysis.show.plot import FIGURES
from freeze_or_tune.analysis.show.plot import figure as write
from freeze_or_tune.analysis.show.style import RC
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.study.metrics import METRICS

SCHEMES = ("T1-7_R8", "F1-7_R8", "T1-5_R6-8", "F1-5_R6-8", "T1-3_R4-8", "F1-3_R4-8")
PAPER = {
    "Yosinski": (0.003, 1, 10, 25, 53, 120), "Caltech-256": (0.071, 1, 10, 25, 53), "SUN397": (0.194, 1, 10, 50, 70),
    "MIT-Indoor": (0.307, 1, 10, 25, 75), "CUB-200": (0.358, 5, 20, 35), "Coral": (0.455, 10, 50, 200, 450),
    "Plankton": (0.534, 1, 10, 300, 550), "mine": (0.6, 10, 20, 40),
}  # fmt: skip
EMBEDDED = {
    "latin-b": (0.03, 1, 10, 60), "greek": (0.1, 1, 10, 60), "digits": (0.38, 1, 10, 100),
    "solar-cells": (0.45, 1, 10, 60),
}  # fmt: skip


@pytest.fixture
def study(collected):
    """Results of a study in which every accuracy is different; `{target: (cosine, *n)}`."""

    def build(targets, schemes=SCHEMES, runs=1):
        keys = [(t, n, s) for t, (_, *sizes) in targets.items() for n in sizes for s in schemes]
        accuracies = {
            # Whole numbers of the 200 test images.
            key: [round(180 - 120 * (i + r) / (len(keys) + r)) / 200 for r in range(runs)]
            for i, key in enumerate(keys)
        }
        path = collected(accuracies, {t: c for t, (c, *_) in targets.items() if c is not None})
        return Evidence.of(read_results(path), 50), {key: float(np.mean(values)) for key, values in accuracies.items()}

    return build


def intervals(axes):
    """Vertical lines of axes, by colour."""
    return {
        to_hex(c.get_color()[0]).upper(): sorted(s[:, 1].tolist() for s in c.get_segments()) for c in axes.collections
    }


def points(axes):
    """Scattered points (markers without a line) of axes, by colour; all must be inside the axes' limits."""
    lines = [line for line in axes.get_lines() if line.get_linestyle() == "None" and len(line.get_xdata())]
    for line in lines:
        assert axes.get_xlim()[0] < min(line.get_xdata()) <= max(line.get_xdata()) < axes.get_xlim()[1]
        assert axes.get_ylim()[0] < min(line.get_ydata()) <= max(line.get_ydata()) < axes.get_ylim()[1]
    return {line.get_color(): sorted(zip(line.get_xdata(), line.get_ydata(), strict=True)) for line in lines}


def curves(axes):
    """Trend lines of axes by colour, as arrays of x and y."""
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) > 2 and line.get_marker() == "None"]
    return {line.get_color(): np.array(line.get_data()) for line in lines}


def approx_points(expected):
    return [pytest.approx(point) for point in sorted(expected)]


LOW, MEDIUM, LARGE = "#56B4E9", "#0072B2", "#000000"
NEAR, MIDDLE, FAR = "#009E73", "#E69F00", "#D55E00"


def test_figure1_shows_every_pair_at_its_ratio(study):
    results, accuracy = study(EMBEDDED, runs=2)
    grid = np.array(figures.copying(results).axes).reshape(2, 2)
    deeper = {"T": ("T1-5_R6-8", "T1-3_R4-8"), "F": ("F1-5_R6-8", "F1-3_R4-8")}
    for (column, mode), row in itertools.product(enumerate("TF"), range(2)):
        expected = {LOW: [], MEDIUM: [], LARGE: []}
        for target, (cosine, *sizes) in EMBEDDED.items():
            for n in sizes:
                above, below = accuracy[target, n, f"{mode}1-7_R8"], accuracy[target, n, deeper[mode][row]]
                expected[LOW if n <= 20 else MEDIUM if n < 100 else LARGE].append((cosine, above / below))
        drawn = points(grid[row, column])
        assert {color: len(p) for color, p in drawn.items()} == {LOW: 8, MEDIUM: 3, LARGE: 1}
        for color, places in expected.items():
            assert drawn[color] == approx_points(places)
        # One point has no trend.
        assert set(curves(grid[row, column])) == {LOW, MEDIUM}
    assert [axes.get_title() for axes in grid[0]] == ["Fine-tune (T)", "Freeze (F)"]
    assert [axes.get_ylabel() for axes in grid[:, 0]] == [
        "R(8) accuracy\nover R(6-8) accuracy", "R(8) accuracy\nover R(4-8) accuracy",
    ]  # fmt: skip


def test_figure2_shows_every_pair_against_data_and_distance(study):
    results, accuracy = study(EMBEDDED)
    left, right = figures.tuning(results).axes
    by_n, by_distance = {}, {}
    for target, (cosine, *sizes) in EMBEDDED.items():
        for n in sizes:
            ratio = accuracy[target, n, "T1-7_R8"] / accuracy[target, n, "F1-7_R8"]
            by_n.setdefault(NEAR if cosine < 0.2 else MIDDLE if cosine < 0.4 else FAR, []).append((n, ratio))
            by_distance.setdefault(LOW if n <= 20 else MEDIUM if n < 100 else LARGE, []).append((cosine, ratio))
    for axes, expected in ((left, by_n), (right, by_distance)):
        drawn = points(axes)
        assert set(drawn) == set(expected)
        for color, places in expected.items():
            assert drawn[color] == approx_points(places)
    assert left.get_xscale() == "log"
    (dotted,) = (line for line in left.get_lines() if line.get_linestyle() == ":")
    assert set(dotted.get_xdata()) == {100}


def test_trends_span_their_level_and_average_its_ratios(study):
    results, _ = study(EMBEDDED)
    left, right = figures.tuning(results).axes
    x, y = curves(left)[MIDDLE]
    assert (x[0], x[-1]) == pytest.approx((1, 100))
    ratios = [ratio for _, ratio in points(left)[MIDDLE]]
    assert min(ratios) < y.min() <= y.max() < max(ratios)
    x, _ = curves(right)[LOW]
    assert (x[0], x[-1]) == pytest.approx((0.03, 0.45))


def test_figure3_shows_all_accuracies(study):
    results, accuracy = study(PAPER)
    figure = panels.accuracies(results)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [f"{target} (distance {sizes[0]:.3f})" for target, sizes in PAPER.items()]
    for axes, (target, (_, *sizes)) in zip(figure.axes, PAPER.items(), strict=True):
        *_, chance = axes.get_lines()
        lines = [container.lines[0] for container in axes.containers]
        assert set(chance.get_ydata()) == {0.1}
        assert axes.get_xticks().tolist() == sizes
        for line, scheme in zip(lines, SCHEMES, strict=True):
            assert list(line.get_xdata()) == sizes
            assert list(line.get_ydata()) == pytest.approx([accuracy[target, n, scheme] for n in sizes])
            filled = line.get_markerfacecolor() == line.get_color()
            assert (filled, line.get_linestyle()) == ((True, "-") if scheme[0] == "T" else (False, "--"))
            assert max(line.get_ydata()) < axes.get_ylim()[1]


def test_figure3_colours_by_depth_and_names_schemes_as_the_paper_does(study):
    results, _ = study({"a": (0.1, 1, 10)}, schemes=(*SCHEMES, "R1-8"))
    figure = panels.accuracies(results)
    (legend,) = figure.legends
    names = [
        "T(1-7)R(8)",
        "F(1-7)R(8)",
        "T(1-5)R(6-8)",
        "F(1-5)R(6-8)",
        "T(1-3)R(4-8)",
        "F(1-3)R(4-8)",
        "R(1-8)",
        "chance",
    ]
    assert [text.get_text() for text in legend.get_texts()] == names
    colors = [line.get_color() for line in legend.get_lines()]
    assert colors[0:6:2] == colors[1:6:2]
    assert len(set(colors)) == 5


def test_figure3_has_bars_of_intervals(collected):
    path = collected({("a", 1, "T1-7_R8"): [0.3, 0.5], ("a", 10, "T1-7_R8"): [0.6]}, {})
    evidence = Evidence.read(path)
    (axes,) = panels.accuracies(evidence).axes
    ((_, _, (bars,)),) = axes.containers
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends == [pytest.approx(row) for row in evidence.cells()[["low", "high"]].to_numpy().tolist()]
    wilson = binomtest(120, 200).proportion_ci(method="wilson")
    assert ends[1] == pytest.approx([wilson.low, wilson.high])


def test_figure3_orders_targets_by_distance_and_the_unmeasured_last(study):
    results, _ = study({"far": (0.5, 1), "unknown": (None, 1), "near": (0.1, 1)})
    assert [axes.get_title() for axes in panels.accuracies(results).axes] == [
        "near (distance 0.100)", "far (distance 0.500)", "unknown",
    ]  # fmt: skip


def test_legends_list_the_levels_that_occur_and_no_others(study):
    results, _ = study({"a": (0.1, 1, 200), "b": (0.45, 10)})
    (legend,) = figures.copying(results).legends
    assert [text.get_text() for text in legend.get_texts()] == ["Low (1–20)", "Large (≥ 100)"]
    texts = [[text.get_text() for text in legend.get_texts()] for legend in figures.tuning(results).legends]
    assert texts == [["Low (0.0–0.2)", "High (0.4–1.0)"], ["Low (1–20)", "Large (≥ 100)"]]


def test_ratios_that_have_no_place_are_left_out_with_a_warning(collected, caplog):
    accuracies = {("a", n, f"{m}1-7_R8"): [0.5] for n in (1, 5) for m in "TF"}
    accuracies |= {("a", 9, "T1-7_R8"): [0.0], ("a", 9, "F1-7_R8"): [0.5]}
    accuracies |= {("unmeasured", 1, f"{m}1-7_R8"): [0.5] for m in "TF"}
    with caplog.at_level(logging.WARNING):
        left, _ = figures.tuning(Evidence.read(collected(accuracies, {"a": 0.1}))).axes
    assert points(left) == {NEAR: [(1, 1), (5, 1)]}
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["a, n 9", "unmeasured, n 1"]


def test_figure1_without_deeper_schemes_says_so(study):
    results, _ = study({"a": (0.1, 1)}, schemes=SCHEMES[:2])
    figure = figures.copying(results)
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["no pairs of experiments with a distance"] * 2
    assert figure.legends == []


def test_figure2_without_frozen_schemes_says_so(study):
    results, _ = study({"a": (0.1, 1)}, schemes=("T1-7_R8",))
    assert [axes.texts[0].get_text() for axes in figures.tuning(results).axes] == [
        "no pairs of experiments with a distance"
    ] * 2


def test_figure1_with_one_deeper_scheme_has_one_row(study):
    results, _ = study({"a": (0.1, 1)}, schemes=SCHEMES[:4])
    assert len(figures.copying(results).axes) == 2


def visible_texts(figure):
    """Texts that are drawn, in axes that are shown; tick labels outside the limits are not."""
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(100)
    canvas.draw()
    renderer = canvas.get_renderer()
    hidden = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not axis.get_view_interval()[0] <= tick.get_loc() <= axis.get_view_interval()[1]
    }
    shown = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible() and t not in hidden]
    return {text: inked(text.get_text(), text.get_window_extent(renderer)) for text in shown}


def inked(text, box):
    """The box of a label without the empty line above one that dropped to the second."""
    return Bbox.from_extents(box.x0, box.y0, box.x1, (box.y0 + box.y1) / 2) if text.startswith("\n") else box


STUDIES = {
    "paper": (PAPER, (*SCHEMES, "T1_R2-8", "F1_R2-8")),
    "embedded": (EMBEDDED, SCHEMES),
    "one": ({"latin-b": (0.03, 10)}, SCHEMES),
    "wide": ({"near": (0.1, 1, 2, 5, 10, 50, 99, 100, 500, 1000, 5000), "far": (0.5, 1, 50)}, SCHEMES),
    "long": ({"mit-indoor-from-places": (0.1, 1), "x$\\frac$y": (0.3, 1), "a-name-" * 9: (0.5, 1)}, SCHEMES),
    "scratch": (dict(list(EMBEDDED.items())[:3]), ("T1-7_R8", "F1-7_R8", "R1-8")),
}


@pytest.mark.slow
@pytest.mark.parametrize("draw", [figures.copying, figures.tuning, panels.accuracies, figures.metrics])
@pytest.mark.parametrize("name", STUDIES)
def test_texts_are_large_enough_inside_and_do_not_overlap(study, draw, name):
    results, _ = study(*STUDIES[name])
    with mpl.rc_context(RC):
        figure = draw(results)
        boxes = visible_texts(figure)
    assert len(boxes) > 6
    assert min(text.get_fontsize() for text in boxes) >= 7
    assert figure.get_figwidth() == 7
    for text, box in boxes.items():
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height
        assert inside, text.get_text()
    for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
        assert not a.overlaps(b), (one.get_text(), other.get_text())


@pytest.mark.slow
@pytest.mark.parametrize("number", FIGURES)
def test_files_are_valid_and_of_print_size(study, tmp_path, number):
    study({"a": (0.1, 1, 10), "b": (0.3, 1, 10)})
    pdf, png = tmp_path / "fig.pdf", tmp_path / "fig.png"
    write(tmp_path / "experiments.csv", number, [pdf, png])
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert b"/FontFile2" in content  # an embedded TrueType font (type 42)
    assert b"/Type3" not in content
    width = float(re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", content)[1])
    assert width == 7 * 72
    with Image.open(png) as image:
        assert image.size[0] == 7 * 300
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert len(image.convert("RGB").getcolors(2**24)) > 50


def test_each_ratio_has_its_interval(synthetic):
    evidence = Evidence.read(synthetic)
    _, right = figures.tuning(evidence).axes
    pairs = evidence.tune_over_freeze()
    for level, color in (("L", LOW), ("H", LARGE)):
        expected = pairs.loc[pairs["data_level"] == level, ["low", "high"]].to_numpy().tolist()
        assert intervals(right)[color] == [pytest.approx(ends) for ends in sorted(expected)]


@pytest.mark.slow
def test_figure4_shows_each_metric_with_its_correlation(synthetic):
    evidence = Evidence.read(synthetic)
    panels_of = {axes.get_xlabel(): axes for axes in figures.metrics(evidence).axes}
    assert set(panels_of) == {metric.axis for metric in METRICS.values()}
    pairs = evidence.tune_over_freeze()
    for metric, (_, label, *_) in METRICS.items():
        drawn = [point for level in points(panels_of[label]).values() for point in level]
        expected = pairs[[metric, "ratio"]].to_numpy().tolist()
        assert sorted(drawn) == approx_points(expected)
        rho = spearmanr(pairs[metric], pairs["ratio"]).statistic
        assert panels_of[label].get_title().startswith(f"Spearman's ρ = {rho:.2f} (".replace("-", "−"))
    bold = [axes.get_xlabel() for axes in panels_of.values() if axes.title.get_fontweight() == "bold"]
    assert bold == ["Cosine distance", "MMD", "Accuracy of a linear SVM"]  # they order the four targets alike


def test_figure4_shows_points_that_have_one_distance(study):
    evidence, _ = study({"a": (0.31, 1, 10)})
    (axes,) = figures.metrics(evidence).axes
    low, high = axes.get_xlim()
    assert low < 0.31 < high


@pytest.mark.slow
def test_figure2_has_panels_as_wide_as_the_page_allows(study):
    evidence, _ = study(PAPER)
    with mpl.rc_context(RC):
        figure = figures.tuning(evidence)
        FigureCanvasAgg(figure).draw()
    assert sum(axes.get_position().width for axes in figure.axes) > 0.85


def test_figure4_says_when_there_are_too_few_targets(study):
    evidence, _ = study({"a": (0.1, 1, 10), "b": (0.3, 1, 10)})
    (axes,) = figures.metrics(evidence).axes
    assert axes.get_title() == "no correlation: fewer than three distances"
    assert axes.title.get_fontweight() == "normal"
