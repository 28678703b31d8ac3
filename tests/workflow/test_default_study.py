"""What `snakemake` plans when nothing else is said."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def plan(*arguments: str) -> str:
    # In a directory of its own: results of earlier runs would shorten the plan.
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout + done.stderr


def jobs(output: str) -> dict[str, int]:
    """Rule and count from the table of job counts."""
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)}


@pytest.mark.parametrize("target", [[], ["results/figures/fig2.pdf"]])
def test_84_experiments_and_16_distances(target: list[str]) -> None:
    planned = jobs(plan("--forceall", *target))
    assert planned["experiment"] == 84
    assert planned["mean_distance"] + planned["svm_distance"] + planned["cnn_distance"] == 16
    assert planned["split"] == 4 * 3 + 1
    assert planned["pretrain"] == 1


def test_the_snakefile_does_not_import_torch() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    modules = set(re.findall(r"^from (freeze_or_tune[.\w]*) import", rules, re.MULTILINE))
    assert {"freeze_or_tune.study.reading", "freeze_or_tune.planning.estimates"} <= modules
    code = f"""
import sys, {", ".join(modules)}
print([name for name in ("torch", "pandas", "sklearn", "matplotlib", "numpy", "requests") if name in sys.modules])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
