"""Axes and files that do not depend on which figure is drawn."""

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from freeze_or_tune.analysis.show.style import log_ticks, ratio_ticks, write_figure


@given(st.floats(0.0005, 0.999), st.floats(1.001, 2000))
def test_ratio_ticks_are_in_range_apart_and_include_one(low, high):
    ticks, labels = ratio_ticks(low, high)
    assert 1 in ticks
    assert low <= min(ticks) <= max(ticks) <= high
    assert [float(label) for label in labels] == pytest.approx(ticks)
    assert all(np.diff(np.log(ticks)) >= 0.06 * np.log(high / low))


@given(st.floats(0.2, 0.97), st.floats(1.03, 50))
def test_ratio_axes_have_enough_ticks_to_read(low, high):
    ticks, _ = ratio_ticks(low, high)
    assert 3 <= len(ticks) <= 16


def test_the_papers_own_axis_has_the_papers_kind_of_ticks():
    assert ratio_ticks(0.85, 3.2)[1] == ["0.9", "1.0", "1.2", "1.4", "1.6", "2.0", "2.5", "3.0"]


def labels_of(ticks, low, high, inches):
    axes = Figure().subplots()
    log_ticks(axes, ticks, low, high, inches)
    assert axes.get_xticks().tolist() == ticks
    return [label.get_text() for label in axes.get_xticklabels()]


def test_labels_that_would_touch_drop_to_a_second_line():
    assert labels_of([1, 10, 300, 550], 0.6, 900, 1.7) == ["1", "10", "300", "\n550"]
    assert labels_of([10, 50, 200, 450], 7, 600, 1.7) == ["10", "50", "200", "450"]
    assert labels_of([100, 110, 121], 50, 1000, 1.7) == ["100", "\n110", "121"]


def draw():
    figure = Figure(figsize=(2, 1))
    figure.subplots().set_title("Ratio")
    return figure


@pytest.mark.slow
def test_files_are_the_same_twice_and_the_global_style_is_untouched(tmp_path):
    before = dict(mpl.rcParams)
    names = ("a.pdf", "a.png", "a.svg")
    write_figure(draw, [tmp_path / "one" / name for name in names])
    write_figure(draw, [tmp_path / "two" / name for name in names])
    for name in ("a.pdf", "a.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert b"CreationDate" not in (tmp_path / "one" / "a.pdf").read_bytes()
    assert dict(mpl.rcParams) == before
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(names)


def test_png_has_300_dots_an_inch(tmp_path):
    write_figure(draw, [tmp_path / "a.png"])
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (600, 300)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_format_nobody_knows_leaves_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match="Format 'xyz' is not supported"):
        write_figure(draw, [tmp_path / "a.xyz"])
    assert list(tmp_path.iterdir()) == []
