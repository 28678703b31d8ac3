"""What `import freeze_or_tune` offers to those who program, and what it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import freeze_or_tune

PUBLIC = ("Advice", "Model", "Prediction", "Predictions", "UserError", "advise", "train")
HEAVY = ("matplotlib", "numpy", "pandas", "PIL", "pydantic", "snakemake", "torch")
SCRIPT = """\
from pathlib import Path

import numpy as np
from PIL import Image

from freeze_or_tune import Advice, Model, Prediction, UserError, advise, train

advice = Advice.read("results/advice/birds.json")
reveal_type(advice.schemes)
reveal_type([advise("photos", name="birds", budget=0), advice])
reveal_type(train(Path("photos"), network="resnet18.a1_in1k"))
model = Model.load(Path("results/advice/birds"), device="cuda")
reveal_type(model.labels)
try:
    found = model.predict([Path("a.jpg"), "b.jpg", Image.new("L", (9, 9)), np.zeros((9, 9), np.uint8)], errors="keep")
except UserError as error:
    print(error)
reveal_type(found[0])
reveal_type(found.to_frame())
best: list[Prediction] = [one for one in model.predict("folder") if one.probability > 0.9]
"""
WRONG = """\
from freeze_or_tune import Model, Modell

Model.load("m").predict([1])
Model.load("m").predict("a", errors="x")
"""
REVEALED = (
    "tuple[str, ...]", "list[freeze_or_tune.analysis.advice.answer.Advice]", "freeze_or_tune.stages.model.Model",
    "tuple[str, ...]", "freeze_or_tune.records.prediction.Prediction", "DataFrame",
)  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [("import freeze_or_tune", HEAVY), ("from freeze_or_tune import Advice, Prediction, advise, train", ("torch",))],
)
def test_what_is_heavy_is_imported_when_it_is_asked_for(statement: str, heavy: tuple[str, ...]) -> None:
    code = f"{statement}; import sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_public_names_are_there_and_no_others() -> None:
    assert set(PUBLIC) < set(freeze_or_tune.__all__) <= set(dir(freeze_or_tune))
    assert all(getattr(freeze_or_tune, name).__name__ == name for name in PUBLIC)
    with pytest.raises(AttributeError, match="module 'freeze_or_tune' has no attribute 'Modell'"):
        _ = freeze_or_tune.Modell


@pytest.mark.slow
def test_a_script_of_a_users_own_is_checked_by_its_types(tmp_path: Path) -> None:
    assert Path(freeze_or_tune.__file__).with_name("py.typed").exists()
    (tmp_path / "right.py").write_text(SCRIPT)
    (tmp_path / "wrong.py").write_text(WRONG)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "right.py", "wrong.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    notes = [line for line in lines if "Revealed type" in line]
    assert [kind in line for kind, line in zip(REVEALED, notes, strict=True)] == [True] * len(REVEALED), done.stdout
    errors = [line for line in lines if ": error: " in line]
    assert [line.split(": error: ")[0] for line in errors] == ["wrong.py:1", "wrong.py:3", "wrong.py:4"], done.stdout
