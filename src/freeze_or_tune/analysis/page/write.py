"""The page as one HTML file that asks nothing of any network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2.utils import htmlsafe_json_dumps
from plotly.offline import get_plotlyjs

from freeze_or_tune.analysis.page.content import Explorable, Page
from freeze_or_tune.analysis.page.gather import gather
from freeze_or_tune.analysis.page.templates import render_template
from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.analysis.statistics.verdicts import NONE, RULE
from freeze_or_tune.study.levels import DISTANCE_BOUNDS
from freeze_or_tune.system.files import write_text

SCRIPTS = ("select.js", "plots.js", "figures.js", "details.js", "page.js")
"""In the order in which they run."""


def write_page(
    results_csv: Path,
    experiments: Sequence[Path],
    samples: Sequence[Path],
    destination: Path,
    *,
    sources: Mapping[str, str],
    configfiles: Sequence[str] = (),
    one_rate: Path | None = None,
) -> None:
    """Write the page of a study; paths of `experiments` are printed as they are given.

    `samples` are contact sheets, <dataset>.png; `sources` are the datasets of the source networks; `configfiles`
    are what names the study to snakemake: none if it is the default one; `one_rate` is the other table of a study with
    a search.
    """
    write_text(destination, render(gather(results_csv, experiments, samples, sources, configfiles, one_rate)))


def render(page: Page) -> str:
    """The page as HTML; every name in it is escaped, in the text and in the scripts' data."""
    return render_template(
        "page.html",
        page=page,
        paper=paper,
        rule=RULE,
        no_pairs=NONE,
        filters=_filters(page.explorable),
        bounds=DISTANCE_BOUNDS,
        data=htmlsafe_json_dumps(page.explorable, dumps=_json),
        plotly=get_plotlyjs(),
        scripts=SCRIPTS,
    )


def _json(explorable: Explorable) -> str:
    return explorable.model_dump_json()


def _filters(explorable: Explorable) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Name, legend and choices (value, label) of each filter; levels that do not occur are no choice."""
    experiments = next(iter(explorable.views.values())).experiments
    near = {experiment.distance_level for experiment in experiments}
    data = {experiment.data_level for experiment in experiments}
    distances = {**explorable.distance_labels, "": "not measured"}
    return [
        ("target", "Target", [(target, target) for target in explorable.targets]),
        ("scheme", "Scheme", list(explorable.schemes.items())),
        ("distance_level", "Distance", [(level, label) for level, label in distances.items() if level in near]),
        ("data_level", "Images a class", [(k, label) for k, label in explorable.data_labels.items() if k in data]),
    ]
