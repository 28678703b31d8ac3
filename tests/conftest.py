import os
import sys
from collections.abc import Generator, Iterator

import pytest

# Two workers side by side have a core each: threads of both on both take turns, and wait for each other by spinning.
# Read when torch and numpy are loaded; jobs that a test starts set the threads that their rules ask for.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Jobs with two threads beside another worker wait asleep: by spinning they are half as fast.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

MINUTES = ("slurm", "workflow", "docs", "browser")
"""Folders whose files take minutes, the longest first."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: a worker that came to one at the end would work alone."""
    places = {folder: place for place, folder in enumerate(MINUTES)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(places)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all tests are required (CI), one skipped for want of a package has failed; a GPU is no package."""
    report = yield
    required = os.environ.get("REQUIRE_ALL_TESTS") == "1"
    if required and report.skipped and not hasattr(report, "wasxfail") and "needs a GPU" not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL_TESTS=1, but {item.nodeid} was skipped: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def torch_as_before() -> Iterator[None]:
    """Undo what preparing a device sets for the whole process."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 0
    yield
    if torch:
        torch.set_num_threads(threads)
        if torch.are_deterministic_algorithms_enabled():  # asked first: the switch imports a compiler
            torch.use_deterministic_algorithms(False)
        torch.set_flush_denormal(False)
