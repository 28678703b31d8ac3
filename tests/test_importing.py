"""Importing the package changes nothing in the process, which may be anybody's; our own processes are prepared."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))

BEFORE = """
import gc, importlib, json, locale, logging, os, pkgutil, random, signal, sys, warnings

def state():
    found = {
        "gc": (gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()), "environment": dict(os.environ),
        "warnings": [str(one) for one in warnings.filters], "showwarning": str(warnings.showwarning),
        "root": [str(one) for one in logging.getLogger().handlers], "level": logging.getLogger().level,
        "signals": {str(one): str(signal.getsignal(one)) for one in signal.valid_signals()},
        "hook": str(sys.excepthook), "folder": os.getcwd(), "path": sys.path, "locale": locale.setlocale(locale.LC_ALL),
        "random": random.getstate(),
    }
    if "torch" in sys.modules:
        import matplotlib, numpy, torch
        found |= {
            "backend": matplotlib.rcParams._get_backend_or_none(), "style": dict(matplotlib.rcParams.copy()),
            "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
            "type": str(torch.get_default_dtype()), "exact": torch.are_deterministic_algorithms_enabled(),
            "grad": torch.is_grad_enabled(),
            "drawn": torch.get_rng_state().tolist(), "numpy": str(numpy.random.get_state()), "errors": numpy.geterr(),
            "matrices": torch.get_float32_matmul_precision(), "cudnn": torch.backends.cudnn.benchmark,
        }
    return json.loads(json.dumps(found, default=str))

def changed(before):
    after = state()
    return [name for name in before if before[name] != after[name]]
"""
ALONE = "before = state(); import freeze_or_tune; print(changed(before))"
# What others' packages do when they are imported is theirs.
ALL = """
import cv2, jinja2, matplotlib.figure, onnx, pandas, PIL.Image, plotly.offline, pydantic, requests, scipy.stats
import statsmodels.stats.proportion, timm, torch, tqdm, sklearn.datasets, sklearn.svm, sklearn.neighbors
import sklearn.pipeline, snakemake.sourcecache
import torch.nn.functional, torch.utils._python_dispatch, safetensors.torch, typer, tabulate, threadpoolctl
torch.get_num_threads()
import freeze_or_tune
before = state()
names = [one.name for one in pkgutil.walk_packages(freeze_or_tune.__path__, "freeze_or_tune.")]
ours = [name for name in names if name != "freeze_or_tune.system.job"]
for name in ours:
    importlib.import_module(name)
from freeze_or_tune.__main__ import main
print(len(ours) > 150, changed(before))
"""
COMMAND = "before = state(); main(['schema']); print(changed(before), file=sys.stderr)"


def run(code: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
    return subprocess.run(
        [sys.executable, "-c", BEFORE + code], capture_output=True, text=True, env=environment, check=True
    )


def test_the_package_alone() -> None:
    assert run(ALONE).stdout == "[]\n"


@pytest.mark.slow
def test_all_modules_and_a_command_called_from_python() -> None:
    ended = run(ALL + COMMAND)
    assert ended.stdout.startswith("True []\n")
    assert ended.stderr.endswith("[]\n")


def test_a_command_of_the_shell_is_prepared() -> None:
    code = """
from freeze_or_tune import __main__
__main__.main = lambda: print(changed(before))
before = state()
__main__.entry()
"""
    assert run(code).stdout == "['gc', 'environment']\n"


def test_a_job_is_prepared_before_anything_else_is_imported() -> None:
    code = (
        "import gc, os; import freeze_or_tune.system.job; print(gc.get_threshold()[0], os.environ['OMP_WAIT_POLICY'])"
    )
    assert run(code).stdout == "100000 passive\n"
    for script in SCRIPTS:
        imported = [one.module for one in ast.walk(ast.parse(script.read_text())) if isinstance(one, ast.ImportFrom)]
        ours = [name for name in imported if name and name.startswith("freeze_or_tune")]
        assert ours[0] == "freeze_or_tune.system.job", script.name


def test_snakemake_is_prepared_when_it_has_loaded_the_workflow(tmp_path: Path) -> None:
    code = f"""
import gc, os, sys
from snakemake.cli import main
import atexit
atexit.register(lambda: print(gc.get_threshold()[0], os.environ["OMP_WAIT_POLICY"]))
main(["--snakefile", {str(ROOT / "workflow/Snakefile")!r}, "--directory", {str(tmp_path)!r}, "--list-rules"])
"""
    assert run(code).stdout.endswith("100000 passive\n")
