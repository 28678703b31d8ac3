"""What a person must read stands last and alone, whatever Snakemake says before, and after its `onerror`."""

from pathlib import Path

import pytest
import yaml

from .conftest import ROOT, STUDY, draw_stripes, snakemake_in

SENTENCE = "{} holds no images; it needs one folder of images a class"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study two of whose datasets hold no images, in a folder with a space and an umlaut."""
    folder = tmp_path / "Daten für uns"
    draw_stripes(folder / "my stripes")
    for name in ("one", "other"):
        (folder / name).mkdir()
    wrong = {name: {"reader": "folder", "path": name} for name in ("one", "other")}
    targets = STUDY["targets"] | {
        name: {"dataset": name, "source": "stripes-net", "n": [2], "val": 5, "test": 20} for name in wrong
    }
    study = STUDY | {"datasets": STUDY["datasets"] | wrong, "targets": targets}
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--quiet",), ("--quiet", "all"), ("--executor", "local")])
def test_each_failed_job_is_named_once_at_the_end(folder: Path, options: tuple[str, ...]) -> None:
    snakemake = snakemake_in(folder, ROOT / "workflow/Snakefile")
    wanted = ("one", "other", "stripes")
    done = snakemake(*options, "--keep-going", "--", *(f"results/indexes/{name}.csv" for name in wanted))
    assert done.returncode == 1
    assert (folder / "results/indexes/stripes.csv").exists()
    *before, last = done.stdout.split("\n\n")
    told = [f"{SENTENCE.format(name)}\n  log: results/logs/index/{name}.log" for name in ("one", "other")]
    assert last in {f"error: {first}\n{second}\n" for first, second in (told, told[::-1])}
    assert "error: " not in "\n\n".join(before)  # jobs have processes of Snakemake's of their own


@pytest.mark.slow
def test_nothing_is_added_where_no_job_has_failed(folder: Path) -> None:
    snakemake = snakemake_in(folder, ROOT / "workflow/Snakefile")
    done = snakemake("--", "results/indexes/stripes.csv")
    assert (done.returncode, "error:" in done.stdout) == (0, False)
    done = snakemake("--", "results/nothing.csv")
    assert (done.returncode, "error:" in done.stdout) == (1, False)
