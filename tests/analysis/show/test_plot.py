"""Everything from one file: `freeze-or-tune plot`."""

import hashlib
import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from freeze_or_tune.__main__ import main
from freeze_or_tune.analysis.results.columns import COLUMNS, NAMES, parse_table
from freeze_or_tune.analysis.results.provenance import Provenance
from freeze_or_tune.analysis.show.plot import figure, plot, table
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.system.errors import UserError

PLAIN = (1, 2, 3, 4)
"""Figures of a study without schemes between frozen and tuned."""


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_log_of_a_figure_has_nothing_of_its_fonts(synthetic, tmp_path):
    code = f"""
from freeze_or_tune.system.job import logged
from pathlib import Path
with logged({str(tmp_path / "log")!r}):
    from freeze_or_tune.analysis.show.plot import figure
    figure(Path({str(synthetic)!r}), 2, [Path({str(tmp_path / "fig2.pdf")!r})])
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert b"/FontFile2" in (tmp_path / "fig2.pdf").read_bytes()  # a part of a font, which fontTools has cut out
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert " INFO peak memory " in line


@pytest.mark.slow
def test_one_file_gives_all_figures_and_tables_and_twice_the_same_bytes(synthetic, tmp_path, capsys):
    os.utime(synthetic, (1_700_000_000, 1_700_000_000))
    assert main(["plot", str(synthetic), str(tmp_path / "one")]) == 0
    assert "figures and tables are in" in capsys.readouterr().out
    made = files(tmp_path / "one")
    assert set(made) == {
        *(f"figures/fig{i}.{suffix}" for i in (1, 2, 3, 4) for suffix in ("pdf", "png", "csv", "json")),
        *(f"tables/table{i}.{suffix}" for i in (1, 2, 3) for suffix in ("csv", "md", "tex", "json")),
    }
    # The rules' functions make the same files.
    for number in PLAIN:
        figure(synthetic, number, [tmp_path / "two" / "figures" / f"fig{number}.{s}" for s in ("csv", "json", "pdf")])
    for number in (1, 2, 3):
        table(
            synthetic,
            number,
            [tmp_path / "two" / "tables" / f"table{number}.{s}" for s in ("csv", "md", "tex", "json")],
        )
    for name, content in files(tmp_path / "two").items():
        assert content == made[name], name


@pytest.mark.slow
def test_each_file_says_where_it_comes_from(synthetic, tmp_path, monkeypatch):
    os.utime(synthetic, (1_700_000_000, 1_700_000_000))
    figure(synthetic, 2, [tmp_path / f"fig2.{suffix}" for suffix in ("pdf", "png", "json")])
    origin = Provenance.read(tmp_path / "fig2.json")
    digest = hashlib.sha256(synthetic.read_bytes()).hexdigest()
    assert (origin.name, origin.study, origin.experiments, origin.runs) == ("fig2", "embedded", 72, 144)
    assert origin.results_sha256 == digest
    assert origin.date == "2023-11-14T22:13:20+00:00"
    assert origin.trained_with == ("numpy 2.3, torch 2.9",)
    assert origin.made_with["pandas"] == pd.__version__
    words = f"study embedded, settings {origin.settings}, experiments.csv sha256 {digest}"
    with Image.open(tmp_path / "fig2.png") as image:
        assert (image.info["Title"], image.info["Description"]) == ("Figure 2", words)
    assert f"/Subject ({words})".encode() in (tmp_path / "fig2.pdf").read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert Provenance.of("x", synthetic, Evidence.read(synthetic).results).date == "1970-01-01T00:00:00+00:00"


def test_other_settings_give_another_hash(collected, results, tmp_path):
    path = collected({("a", 1, "T1-7_R8"): [0.5]}, {})
    before = Provenance.of("x", path, Evidence.read(path).results).settings
    results.experiment("a", 2, "T1-7_R8", [0.5])
    results.collect()
    assert Provenance.of("x", path, Evidence.read(path).results).settings != before


@pytest.mark.slow
def test_the_data_of_a_figure_are_what_it_shows(synthetic, tmp_path):
    plot(synthetic, tmp_path)
    read = {i: pd.read_csv(tmp_path / f"figures/fig{i}.csv") for i in PLAIN}
    assert [len(read[i]) for i in PLAIN] == [12 * 4, 12, 72, 12 * 4]
    for i in (1, 2, 4):
        assert read[i]["ratio"].to_numpy() == pytest.approx((read[i]["numerator"] / read[i]["denominator"]).to_numpy())
    for data in read.values():
        value = data["test_accuracy" if "test_accuracy" in data else "ratio"]
        assert ((data["low"] < value) & (value < data["high"])).all()
        assert set(data["over"]) == {"runs and test images"}
    raw = pd.read_csv(synthetic).groupby(["target", "n", "scheme"])["test_accuracy"].mean()
    ours = read[3].set_index(["target", "n", "scheme"])["test_accuracy"]
    assert ours.sort_index().to_numpy() == pytest.approx(raw.sort_index().to_numpy())


def test_a_malformed_file_is_refused_by_line_and_column(synthetic, tmp_path, edit, capsys):
    edit(synthetic, 7, "test_accuracy", "0,5")
    assert main(["plot", str(synthetic), str(tmp_path / "out")]) == 1
    assert re.search(r"experiments\.csv, line 9, test_accuracy: '0,5' is not a number", capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_mixed_studies_are_drawn_only_when_told(synthetic, tmp_path, edit, capsys):
    edit(synthetic, 3, "study", "other")
    assert main(["plot", str(synthetic), str(tmp_path / "out")]) == 1
    assert "line 5, study: 'other'" in capsys.readouterr().err
    assert main(["plot", "--mixed", str(synthetic), str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out/figures/fig1.json").read_text())["study"] == "embedded, other"


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_garbage_in_any_typed_cell_is_named(synthetic, data):
    typed = [c for c in COLUMNS if c.kind is not str or c.choices or c.name in ("scheme", "random_part", "correct")]
    cells = pd.read_csv(synthetic, dtype=str, keep_default_na=False).iloc[:6]
    row = data.draw(st.integers(0, 5))
    column = data.draw(st.sampled_from(typed))
    garbage = data.draw(st.text(st.characters(exclude_categories=["Nd", "Cs"]), min_size=1, max_size=6))
    if (column.choices and garbage in column.choices) or garbage.strip().lower() in ("nan", "inf", "infinity"):
        return
    cells.loc[row, column.name] = garbage
    with pytest.raises(UserError, match=rf"line {row + 2}, {column.name}: "):
        parse_table(cells, synthetic)


def test_columns_may_stand_in_any_order_beside_others(synthetic, tmp_path):
    table_ = pd.read_csv(synthetic, dtype=str, keep_default_na=False)
    table_[[*reversed(NAMES)]].assign(remark="mine").to_csv(tmp_path / "x.csv", index=False)
    ours, theirs = Evidence.read(tmp_path / "x.csv"), Evidence.read(synthetic)
    pd.testing.assert_frame_equal(ours.cells(), theirs.cells())
