"""A running cluster, and a study of which only the experiments are left to do."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from ..workflow.conftest import SOLVER, STUDY, finished, snakemake_in  # noqa: F401 - `finished` is a fixture
from .cluster import Cluster, running_cluster, why_not
from .submission import EXPERIMENT, Submission, runs

LONG = {"min_iterations": 600, "max_iterations": 600}
"""Iterations enough to be interrupted in the middle."""


@pytest.fixture(scope="session")
def one_cluster() -> Iterator[Cluster]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, running_cluster(Path(folder)) as cluster:
        yield cluster


@pytest.fixture
def cluster(one_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster, idle."""
    monkeypatch.setenv("SLURM_CONF", one_cluster.environment["SLURM_CONF"])
    yield one_cluster
    one_cluster.reset()


@pytest.fixture(scope="session")
def prepared(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811 - the fixture
    """The finished study with longer experiments, none of which is made; not to be changed."""
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("slurm") / "prepared", symlinks=True)
    machine = {"device": "cpu", "checkpoint_seconds": 0.05}
    longer = STUDY | {"solver": SOLVER | LONG, "machine": machine}
    (folder / "study.yaml").write_text(yaml.safe_dump(longer, sort_keys=False))
    shutil.rmtree(folder / "results/experiments")
    return folder


@pytest.fixture(scope="session")
def expected(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """The runs of the experiment that is interrupted, as they are without a cluster."""
    folder = shutil.copytree(prepared, tmp_path_factory.mktemp("local") / "study", symlinks=True)
    done = snakemake_in(folder)(EXPERIMENT)
    assert done.returncode == 0, done.stdout
    return runs(folder)


@pytest.fixture
def study(prepared: Path, tmp_path: Path) -> Path:
    """A copy of the prepared study."""
    return shutil.copytree(prepared, tmp_path / "study", symlinks=True)


@pytest.fixture
def submit(study: Path, cluster: Cluster) -> Iterator[Callable[..., Submission]]:
    """Start snakemake with the SLURM profile on the copy or in a folder; what still runs at the end is killed."""
    started: list[Submission] = []

    def start(*arguments: str, folder: Path = study) -> Submission:
        started.append(Submission(folder, arguments))
        return started[-1]

    yield start
    for submission in started:
        submission.process.kill()
