"""A study with a search, through the workflow: both protocols from the same experiments."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from freeze_or_tune.study.reading import read_study

from .conftest import ROOT, STUDY, snakemake_in

FAIR = (ROOT / "config/paper.yaml", ROOT / "config/paper-fair.yaml")
SEARCH = {
    "rule": "validation",
    "frozen": {"learning_rate": [0.05, 0.2], "c": [0.1, 1]},
    "tuned": {"learning_rate": [0.03, 0.1], "copied_rate": [0.2, 1]},
}


@pytest.fixture(scope="module")
def searched(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished study, then with a search: only its experiments are made again."""
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("searched") / "study", symlinks=True)
    config = STUDY | {"solver": STUDY["solver"] | {"search": SEARCH}}
    (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    done = snakemake_in(folder)()
    assert done.returncode == 0, done.stdout
    assert "pretrain" not in done.stdout
    return folder / "results"


def test_at_one_rate_it_is_the_study_without_a_search(finished: Path, searched: Path) -> None:
    before = pd.read_csv(finished / "results/experiments.csv")
    one_rate = pd.read_csv(searched / "one-rate/experiments.csv")
    costs = ["seconds", "images_per_second", "peak_memory_mb"]
    tuned = before["mode"] == "T"
    pd.testing.assert_frame_equal(one_rate[tuned].drop(columns=costs), before[tuned].drop(columns=costs))
    # One wider layer sums in another order: an image may go another way.
    assert (one_rate["test_accuracy"] - before["test_accuracy"]).abs().max() <= 1 / 40


def test_each_at_its_best_is_chosen_by_validation(searched: Path) -> None:
    best = pd.read_csv(searched / "experiments.csv").set_index(["target", "n", "scheme"])
    table = pd.read_csv(searched / "candidates.csv")
    assert table["test_accuracy"].notna().all()
    table = table[table["learning_rate"].notna() | table["c"].notna()]  # without their average
    tried = table.groupby(["target", "n", "scheme"])
    assert tried.size().to_dict() == dict.fromkeys(best.index, 5)
    assert (tried["val_accuracy"].max() == best["val_accuracy"].reindex(tried.groups)).all()
    chosen = table[table["chosen"] == "yes"].set_index(["target", "n", "scheme"])
    assert chosen["test_accuracy"].to_dict() == best["test_accuracy"].to_dict()
    assert table.loc[table["scheme"].str.startswith("F"), "stopped"].isna().all()
    assert (table["stopped"] == "yes").any()


def test_both_protocols_have_table_3_and_figure_2_and_the_page_has_a_switch(searched: Path) -> None:
    for folder in (searched, searched / "one-rate"):
        for suffix in ("csv", "md", "tex", "json"):
            assert (folder / f"tables/table3.{suffix}").stat().st_size
        assert (folder / "figures/fig2.pdf").read_bytes().startswith(b"%PDF")
    assert (searched / "figures/fig5.png").read_bytes().startswith(b"\x89PNG")
    assert pd.read_csv(searched / "figures/fig5.csv")["learning_rate"].notna().sum() == 3 * (3 + 5)
    page = (searched / "report/index.html").read_text()
    assert 'name="protocol" value="at one rate"' in page


def test_another_rule_trains_nothing(searched: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(searched.parent, tmp_path / "study", symlinks=True)
    config = yaml.safe_load((folder / "study.yaml").read_text())
    config["solver"]["search"] |= {"rule": "average", "halvings": [0.1, 0.3]}
    (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    done = snakemake_in(folder)("results/experiments.csv")
    assert done.returncode == 0, done.stdout
    assert "rule experiment:" not in done.stdout
    record = json.loads((folder / "results/experiments/digits/n10/T1-7_R8.json").read_text())
    row = (
        pd.read_csv(folder / "results/experiments.csv")
        .set_index(["target", "n", "scheme"])
        .loc["digits", 10, "T1-7_R8"]
    )
    assert row["test_accuracy"] == record["runs"][0]["average"]["test_accuracy"]


def test_the_papers_grid_at_its_best_is_as_many_experiments(tmp_path: Path) -> None:
    study = read_study(*FAIR)
    assert (study.name, study.results, len(study.experiments())) == ("paper-fair", "results/paper-fair", 178)
    assert study.solver.search is not None
    assert study.solver.model_copy(update={"search": None}) == read_study(FAIR[0]).solver
    done = snakemake_in(tmp_path, study=FAIR[0])("--dry-run", "--configfile", *map(str, FAIR))
    assert done.returncode == 0, done.stdout
    jobs = dict(line.split() for line in done.stdout.splitlines() if line.split()[:1] in (["experiment"], ["rates"]))
    assert jobs == {"experiment": "178", "rates": "1"}
