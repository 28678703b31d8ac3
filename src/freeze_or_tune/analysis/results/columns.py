"""The columns of experiments.csv: their names, order, types and ranges, stated once and checked when read."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from freeze_or_tune.records.correctness import check
from freeze_or_tune.study.levels import data_level, distance_level
from freeze_or_tune.study.metrics import METRICS
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.system.errors import DamagedFile, UserError

Value = str | int | float


@dataclass(frozen=True)
class Column:
    """A column: what its cells hold, and what they may be."""

    name: str
    kind: type[str] | type[int] | type[float] = str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    optional: bool = False

    def parse(self, text: str) -> Value:
        """The value of a cell, NaN if a number was not measured; ValueError says what is wrong with it."""
        if not text and self.optional:
            return "" if self.kind is str else math.nan
        if not text:
            raise ValueError("it is empty")
        if self.choices and text not in self.choices:
            raise ValueError(f"{text!r} is not one of {', '.join(self.choices)}")
        return text if self.kind is str else self._number(text)

    def _number(self, text: str) -> int | float:
        try:
            value = int(text) if self.kind is int else float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a {'whole ' if self.kind is int else ''}number") from None
        if not self.low <= value <= self.high or math.isinf(value):
            raise ValueError(f"{text} is not in [{self.low:g}, {self.high:g}]")
        return value


def _count(name: str, least: int = 0) -> Column:
    return Column(name, int, least)


def _counted(name: str) -> Column:
    return Column(name, int, 0, optional=True)


def _accuracy(name: str) -> Column:
    return Column(name, float, 0, 1)


def _cost(name: str) -> Column:
    return Column(name, float, 0)


def _measured(name: str, high: float = math.inf) -> Column:
    return Column(name, float, 0, high, optional=True)


def _distances() -> Iterator[Column]:
    for name, metric in METRICS.items():
        yield _measured(name, metric.highest)
        if name == "cosine":
            yield Column("cosine_estimated", choices=("yes",), optional=True)
        if metric.is_accuracy:
            yield _measured(f"{name}_error")


DISTANCES = tuple(_distances())

COUNTS = (
    "classes_available", "train_available", "train_fewest", "train_most", "test_available", "test_fewest", "test_most",
)  # fmt: skip
"""What there was to draw a split from, and what it got: all but the first are images a class."""

PROBES = ("probe", "probe_neighbours", "probe_best")
"""Cross-validated accuracies by what the source makes of a split's images: of logistic regressions on the features and
on those of the best block, and of nearest neighbours."""

COLUMNS = (
    *(Column("study"), Column("source"), Column("target"), Column("dataset")),
    *(_count("classes", 1), _count("n", 1), _count("val_per_class", 1)),
    *(Column("pool", choices=("all", "official", "rest")), _count("test_per_class")),  # 0 unless the pool is all
    *(_count("train_images", 1), _count("val_images", 1), _count("test_images", 1)),
    *(_counted(name) for name in COUNTS),
    *(Column("scheme"), Column("mode", choices=("T", "FT", "F"), optional=True)),  # empty: nothing is copied
    *(_count("copied"), _count("frozen"), Column("variant", optional=True), _count("depth", 1), Column("random_part")),
    *(_count("run"), _count("seed")),
    *(_accuracy("val_accuracy"), _accuracy("test_accuracy"), _accuracy("mean_class_accuracy")),
    *(_count("iterations"), _count("best_iteration")),
    *DISTANCES,
    *(_measured(name, 1) for name in PROBES),
    *(Column("distance_level", choices=("L", "M", "H"), optional=True), Column("data_level", choices=("L", "M", "H"))),
    *(Column("settings"), Column("protocol"), Column("versions")),
    *(_cost("seconds"), _cost("images_per_second"), _cost("peak_memory_mb"), Column("device")),
    Column("correct"),  # last, because it is long: which test images are right
)  # fmt: skip
NAMES = tuple(column.name for column in COLUMNS)
KEY = ["target", "n", "scheme", "run"]
OF_TARGET = [
    *("source", "dataset", "classes", *(column.name for column in DISTANCES)),
    *("distance_level", "val_per_class", "pool", "test_per_class", "test_images"),
]
"""Columns that are the same in all rows of a target: all its splits are tested on the same images."""


def parse_table(cells: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Typed columns from a table of text; UserError names the line of `path` and the column at fault."""
    missing = [name for name in NAMES if name not in cells.columns]
    if missing:
        raise DamagedFile(f"{path} has no column {missing[0]!r}, which every experiments.csv has")
    if cells.empty:
        raise UserError(f"{path} has a header but no rows; run at least one experiment")
    table = pd.DataFrame({column.name: _parse_column(cells[column.name], column, path) for column in COLUMNS})
    _check_schemes(table, path)
    _check_alike(table, path, ["target"], OF_TARGET)
    _check_alike(table, path, ["target", "n", "scheme"], ["settings"])
    _check_levels(table, path)
    _check_correct(table, path)
    again = table.duplicated(KEY).to_numpy()
    if again.any():
        raise _mistake(path, int(again.argmax()), ", ".join(KEY), "an earlier line has the same values")
    return table


def _parse_column(cells: "pd.Series[str]", column: Column, path: Path) -> list[Value]:
    values = []
    for row, text in enumerate(cells):
        try:
            values.append(column.parse(text))
        except ValueError as problem:
            raise _mistake(path, row, column.name, str(problem)) from None
    return values


def _check_schemes(table: pd.DataFrame, path: Path) -> None:
    """The columns derived from `scheme` must agree with it: tables and figures select by them."""
    columns = ["mode", "copied", "frozen", "variant", "depth", "random_part"]
    for row, (text, *derived) in enumerate(table[["scheme", *columns]].itertuples(index=False, name=None)):
        try:
            scheme = Scheme.parse(text)
        except ValueError as problem:
            raise _mistake(path, row, "scheme", str(problem)) from None
        of_blocks = (scheme.copied, scheme.frozen, scheme.variant, scheme.depth)
        expected = [scheme.mode or "", *of_blocks, scheme.random_part]
        for column, value, wanted in zip(columns, derived, expected, strict=True):
            if value != wanted:
                raise _mistake(path, row, column, f"{value!r} does not belong to scheme {text}")


def _check_alike(table: pd.DataFrame, path: Path, shared: list[str], columns: list[str]) -> None:
    """Rows with the same values of `shared` must have the same values of `columns`."""
    first = table.groupby(shared)[columns].transform(lambda values: values.iloc[0])
    same = (first == table[columns]) | (first.isna() & table[columns].isna())
    for column in columns:
        odd = ~same[column].to_numpy()
        if odd.any():
            row = int(odd.argmax())
            of = ", ".join(f"{name} {_text(table[name].iloc[row])}" for name in shared)
            problem = f"{_text(table[column].iloc[row])} is not that of the first line of {of}"
            raise _mistake(path, row, column, problem)


def _check_levels(table: pd.DataFrame, path: Path) -> None:
    """The levels must be those of `n` and `cosine`: tables and figures sort experiments by them."""
    for row, (n, cosine, *levels) in enumerate(
        table[["n", "cosine", "data_level", "distance_level"]].itertuples(index=False, name=None)
    ):
        expected = (data_level(n), "" if math.isnan(cosine) else distance_level(cosine))
        places = (("data_level", f"n {n}"), ("distance_level", f"cosine {cosine:g}"))
        for (column, of), level, wanted in zip(places, levels, expected, strict=True):
            if level != wanted:
                raise _mistake(path, row, column, f"{level!r} is not the level of {of}, {wanted!r}")


def _check_correct(table: pd.DataFrame, path: Path) -> None:
    for row, (text, images, accuracy) in enumerate(
        zip(table["correct"], table["test_images"], table["test_accuracy"], strict=True)
    ):
        try:
            check(text, images, accuracy)
        except ValueError as problem:
            raise _mistake(path, row, "correct", str(problem)) from None


def _text(value: object) -> str:
    """Text in quotes, a number without numpy's name of its type."""
    return repr(value) if isinstance(value, str) else str(value)


def _mistake(path: Path, row: int, column: str, problem: str) -> UserError:
    # Line 1 is the header.
    return DamagedFile(f"{path}, line {row + 2}, {column}: {problem}")
