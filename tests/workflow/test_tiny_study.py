"""All rules on a small study of real files: the numbers that come out, and what happens when something goes wrong."""

import csv
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from scipy.spatial.distance import cosine

from freeze_or_tune.analysis.show.plot import plot
from freeze_or_tune.planning.estimates import RULES, jobs
from freeze_or_tune.study.reading import read_study

from .conftest import ROOT, snakemake_in

Snakemake = Callable[..., subprocess.CompletedProcess[str]]

EXPERIMENT = "results/experiments/digits/n10/T1-7_R8.json"


def results(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "results/experiments.csv")


def runs(folder: Path, path: str = EXPERIMENT) -> list[dict[str, object]]:
    """The runs of an experiment without what they cost, the only thing that may differ when repeated."""
    record = json.loads((folder / path).read_text())
    return [{key: value for key, value in run.items() if key != "performance"} for run in record["runs"]]


def executed(output: str) -> Counter[str]:
    """How often each rule ran, from snakemake's own output."""
    return Counter(re.findall(r"^(?:local)?rule (\w+):", output, re.MULTILINE))


def test_each_file_that_is_promised_is_there(finished: Path) -> None:
    folder = finished / "results"
    names = {f"tables/table{i}.{suffix}" for i in (1, 2, 3) for suffix in ("csv", "md", "tex", "json")}
    names |= {f"figures/fig{i}.{suffix}" for i in (1, 2, 3, 4) for suffix in ("pdf", "png", "csv", "json")}
    names |= {f"figures/curves/digits/L/{scheme}.png" for scheme in ("T1-7_R8", "F1-7_R8")}
    assert {name for name in names if not (folder / name).stat().st_size} == set()
    assert (folder / "figures/fig2.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "figures/fig2.png").read_bytes().startswith(b"\x89PNG")


def test_one_row_a_run_with_the_images_of_its_split(finished: Path) -> None:
    table = results(finished)
    assert len(table) == (1 + 2) * 2
    digits = table[(table.target == "digits") & (table.n == 10)]
    assert set(digits.scheme) == {"T1-7_R8", "F1-7_R8"}
    assert (digits[["classes", "train_images", "val_images", "test_images"]] == [10, 100, 50, 200]).all(axis=None)


def test_copying_a_network_to_its_own_classes_recovers_them(finished: Path) -> None:
    table = results(finished)
    frozen = table[(table.target == "itself") & (table["mode"] == "F")].test_accuracy
    assert frozen.min() > 0.9  # chance is 0.25


def test_accuracies_are_whole_numbers_of_test_images(finished: Path) -> None:
    table = results(finished)
    correct = table.test_accuracy * table.test_images
    assert np.allclose(correct, correct.round(), atol=1e-4)
    assert table.mean_class_accuracy.to_numpy() == pytest.approx(table.test_accuracy.to_numpy(), abs=1e-6)  # balanced


def test_the_distance_to_itself_is_nothing(finished: Path) -> None:
    table = results(finished).set_index("target").loc["itself"]
    assert (table.cosine == 0).all()
    assert (table.mmd == 0).all()
    assert (table.svm - 0.5).abs().max() < 4 * 0.5 / np.sqrt(60)
    assert (table.cnn - 0.5).abs().max() < 4 * 0.5 / np.sqrt(60)


def test_distances_agree_with_scipy_on_the_features(finished: Path) -> None:
    features = [np.load(finished / f"results/features/stripes-net/{name}.npy") for name in ("stripes", "digits")]
    means = [part.mean(axis=0, dtype=np.float64) for part in features]
    digits = results(finished).set_index("target").loc["digits"].iloc[0]
    assert digits.cosine == pytest.approx(cosine(*means))
    assert digits.mmd == pytest.approx(np.linalg.norm(means[0] - means[1]))
    assert digits.svm > 0.7  # chance is 0.5


def test_splits_share_no_image_and_are_nested(finished: Path) -> None:
    small, large = (pd.read_csv(finished / f"results/splits/digits/n{n}.csv") for n in (2, 10))
    assert not large.image.duplicated().any()
    assert set(small[small.subset == "train"].image) < set(large[large.subset == "train"].image)
    for subset in ("val", "test"):
        assert set(small[small.subset == subset].image) == set(large[large.subset == subset].image)


def test_a_second_run_does_nothing_and_says_so(snakemake: Snakemake) -> None:
    done = snakemake()
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


def test_one_experiment_is_rerun_by_its_path_with_the_same_numbers(study: Path, snakemake: Snakemake) -> None:
    before = runs(study)
    done = snakemake("-f", EXPERIMENT)
    assert executed(done.stdout) == {"experiment": 1}
    assert runs(study) == before


def test_another_number_of_threads_changes_little(study: Path, snakemake: Snakemake) -> None:
    before = runs(study)[0]
    assert snakemake("-f", EXPERIMENT, "--set-threads", "experiment=2").returncode == 0
    after = runs(study)[0]
    assert json.loads((study / EXPERIMENT).read_text())["runs"][0]["performance"]["threads"] == 2
    assert after["seed"] == before["seed"]
    assert abs(after["test_accuracy"] - before["test_accuracy"]) <= 0.05  # type: ignore[operator]


def test_models_are_kept_where_that_is_asked_for(study: Path, snakemake: Snakemake) -> None:
    before, model = runs(study), study / EXPERIMENT.replace(".json", ".safetensors")
    assert not model.exists()
    done = snakemake("--dry-run", "--config", "keep_models=true")
    assert ["experiment", "6"] in [line.split() for line in done.stdout.splitlines()]
    done = snakemake(EXPERIMENT.replace(".json", ".safetensors"), "--config", "keep_models=true")
    assert done.returncode == 0, done.stdout
    assert executed(done.stdout) == {"experiment": 1}
    assert runs(study) == before
    assert load_file(model)["fc8.weight"].shape == (10, 16)


def test_a_deleted_result_is_made_again_and_nothing_else(study: Path, snakemake: Snakemake) -> None:
    before = results(study)
    (study / EXPERIMENT).unlink()
    done = snakemake()
    assert executed(done.stdout)["experiment"] == 1
    assert executed(done.stdout)["pretrain"] == 0
    accuracies = ["val_accuracy", "test_accuracy", "mean_class_accuracy"]
    pd.testing.assert_frame_equal(results(study)[accuracies], before[accuracies])


def test_a_truncated_result_is_a_clear_error_and_no_figure(study: Path, snakemake: Snakemake) -> None:
    path = study / EXPERIMENT
    path.write_bytes(path.read_bytes()[:300])
    done = snakemake()
    assert done.returncode != 0
    assert f"{EXPERIMENT} is not a complete experiment result" in done.stdout
    assert executed(done.stdout)["figure"] == 0
    assert not (study / "results/experiments.csv").exists()


def test_a_truncated_store_is_a_clear_error(study: Path, snakemake: Snakemake) -> None:
    before, path = runs(study), study / "results/stores/digits-64.npy"
    path.write_bytes(path.read_bytes()[:-10_000])
    done = snakemake("-f", EXPERIMENT)
    assert done.returncode != 0
    assert "results/stores/digits-64.npy is damaged" in done.stdout
    path.unlink()
    repaired = snakemake(EXPERIMENT)
    assert repaired.returncode == 0, repaired.stdout
    assert executed(repaired.stdout)["store"] == 1
    assert runs(study) == before


def test_a_swapped_store_is_a_clear_error(study: Path, snakemake: Snakemake) -> None:
    path = study / "results/stores/digits-64.npy"
    images = np.load(path)
    np.save(path, images[::-1])
    done = snakemake("-f", EXPERIMENT)
    assert done.returncode != 0
    assert "results/stores/digits-64.npy is damaged" in done.stdout


def test_a_truncated_split_is_a_clear_error(study: Path, snakemake: Snakemake) -> None:
    path = study / "results/splits/digits/n10.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-5]))
    done = snakemake("-f", EXPERIMENT)
    assert done.returncode != 0
    assert "results/splits/digits/n10.csv" in done.stdout


def test_an_unreadable_image_is_left_out_by_name_and_replaced(study: Path, snakemake: Snakemake) -> None:
    split = "results/splits/itself/n5.csv"
    victim = pd.read_csv(study / split).image.iloc[0]
    path = study / "my stripes" / victim
    path.write_bytes(path.read_bytes()[:60])
    done = snakemake(split, "--forcerun", "index")
    assert done.returncode == 0, done.stdout
    assert victim in (study / "results/stores/stripes-64.rejected.csv").read_text()
    drawn = pd.read_csv(study / split)
    assert victim not in set(drawn.image)
    assert set(drawn.groupby(["class", "subset"]).size().unstack().loc["flat"]) == {5, 10}


def test_a_deleted_image_is_a_clear_error(study: Path, snakemake: Snakemake) -> None:
    victim = pd.read_csv(study / "results/splits/itself/n5.csv").image.iloc[0]
    (study / "my stripes" / victim).unlink()
    (study / "results/stores/stripes-64.npy").unlink()
    done = snakemake("results/stores/stripes-64.npy")
    assert done.returncode != 0
    assert victim in done.stdout
    assert "--forcerun index" in done.stdout


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("results/experiments/digit/n10/T1-7_R8.json", "its targets are itself, digits"),
        ("results/experiments/digits/n7/T1-7_R8.json", "it has n = 2, 10"),
        ("results/experiments/digits/n10/T1-5_R6-8.json", "it has T1-7_R8, F1-7_R8"),
        ("results/distances/digits/emd.json", "its metrics are cosine, mmd, svm, cnn"),
        ("results/features/imagenet/digits.npy", "its sources are stripes-net"),
        ("results/splits/digits/n3.csv", "it has n = 2, 10"),
    ],
)
def test_a_mistyped_path_lists_what_there_is(snakemake: Snakemake, path: str, words: str) -> None:
    done = snakemake("--dry-run", path)
    assert done.returncode != 0
    assert words in done.stdout


def test_a_changed_solver_reruns_experiments_but_not_the_source(study: Path, snakemake: Snakemake) -> None:
    config = study / "study.yaml"
    config.write_text(config.read_text() + "\n")  # another time, the same study
    assert "Nothing to be done" in snakemake("--dry-run").stdout
    changed = snakemake("--dry-run", "--config", "runs=2")
    rules = executed(changed.stdout)
    assert rules["experiment"] == 6
    assert rules["pretrain"] == rules["store"] == rules["features"] == 0


def test_the_report_holds_the_figures_with_captions(study: Path, snakemake: Snakemake) -> None:
    done = snakemake("--report", "report.html")
    assert done.returncode == 0, done.stdout
    page = (study / "report.html").read_text()
    found = json.loads(re.search(r'<script id="results">\s*var results = (\{.*\});?\s*</script>', page)[1])  # type: ignore[index]
    for i in (1, 2, 3, 4):
        assert found[f"results/figures/fig{i}.png"]["labels"]["Figure"] == str(i)
        assert "How to read it" in " ".join(found[f"results/figures/fig{i}.png"]["caption"].split())
    for i in (1, 2, 3):
        assert f"table{i}.tex" in found[f"results/tables/table{i}.md"]["caption"]
    # The report turns the last label, which has two values, into a switch.
    labels = [entry["labels"] for path, entry in found.items() if "/curves/digits/" in path]
    assert sorted(label.pop("Copied blocks") for label in labels) == ["fine-tuned", "frozen"]
    assert labels == [{"Images a class": "L (1–20)", "Random blocks": "R(8)"}] * 2


def test_all_figures_and_tables_are_made_again_from_the_one_file(finished: Path, tmp_path: Path) -> None:
    plot(finished / "results/experiments.csv", tmp_path)
    again = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.glob("*/*")}
    assert len(again) == 4 * 4 + 3 * 4
    assert {path: (finished / "results" / path).read_bytes() for path in again} == again


def test_the_page_holds_the_experiments_of_the_table_and_pictures_of_all_datasets(finished: Path) -> None:
    page = (finished / "results/report/index.html").read_text()
    data = json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[0])
    experiments = data["views"]["at one rate"]["experiments"]
    table = results(finished).groupby(["target", "n", "scheme"]).test_accuracy.mean()
    assert {(e["target"], e["n"], e["scheme"]): e["mean"] for e in experiments} == pytest.approx(table.to_dict())
    for experiment in experiments:
        record = json.loads((finished / experiment["path"]).read_text())
        assert [len(run["curve"]) for run in record["runs"]] == [len(c["iterations"]) for c in experiment["curves"]]
    assert page.count('src="data:image/webp') == 2
    assert data["command"] == "snakemake --configfile study.yaml"


def test_results_go_on_in_a_fresh_clone(finished: Path, tmp_path: Path) -> None:
    """Scripts are newer there than results: made old, as docs/cluster.md says, nothing runs again but what should."""
    clone = tmp_path / "clone"
    for name in ("workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, clone / name, copy_function=shutil.copy)  # with the time of now, as from git
    shutil.copy(ROOT / "Snakefile", clone)
    subprocess.run(["cp", "-a", *finished.iterdir(), clone], check=True)
    plan = snakemake_in(clone, clone / "Snakefile")
    again = plan("--dry-run").stdout
    assert "Code has changed since last execution" in again
    (command,) = re.findall(r"^touch .+$", (ROOT / "docs/cluster.md").read_text(), re.MULTILINE)
    subprocess.run(command, shell=True, cwd=clone, check=True)
    assert "Nothing to be done" in plan("--dry-run").stdout
    assert executed(plan("--dry-run", "--config", "seed=9").stdout)["experiment"] == 6


def test_a_deleted_page_is_made_again_from_what_is_there(study: Path, snakemake: Snakemake) -> None:
    path = study / "results/report/index.html"
    before = path.read_bytes()
    path.unlink()
    assert executed(snakemake().stdout) == {"page": 1, "all": 1}
    assert path.read_bytes() == before


def test_logs_tell_what_each_run_reached(finished: Path) -> None:
    log = (finished / "results/logs/experiments/digits/n10/T1-7_R8.log").read_text()
    assert re.search(r"iteration 20/60: loss \d+\.\d+, validation accuracy \d+\.\d %, \d+ images/s", log)
    assert len(log.splitlines()) < 10


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_job_takes_less_memory_and_time_than_it_asks_for_and_not_absurdly_less(finished: Path, rule: str) -> None:
    study = read_study(finished / "study.yaml")
    folders = {
        "experiment": "experiments",
        "probe": "probes",
        **{name: "distances" for name in RULES if name.endswith("_distance")},
    }
    folder = folders.get(rule, rule)
    benchmarks = [*(finished / "results/benchmarks" / folder).rglob("*.tsv")]
    # By the logs: Snakemake first looks at a job's memory when the jobs of so small a study are over.
    logs = [(finished / "results/logs" / folder).rglob(f"{path.stem}.log") for path in benchmarks]
    memory = max(float(re.findall(r"peak memory (\d+) MB$", path.read_text())[0]) for paths in logs for path in paths)
    asked = [estimate for name, _, estimate in jobs(study) if name == rule]
    assert memory < min(one.memory_mb for one in asked)
    assert max(one.memory_mb for one in asked) < 8 * memory + 500
    seconds = [float(next(csv.DictReader(path.open(), delimiter="\t"))["s"]) for path in benchmarks]
    assert max(seconds) < 60 * min(one.minutes for one in asked)
