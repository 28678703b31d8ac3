"""`Where do I put ...` of docs/architecture.md, followed to the letter on a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FILES = [path.as_posix() for place in ("src", "workflow", "tests") for path in (ROOT / place).rglob("*.*")]

pytestmark = pytest.mark.slow


class Copy:
    """A copy of the project, to which things are added where the page says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("src", "tests", "workflow", "config", "profiles"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Snakefile", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)

    def write(self, path: str, text: str) -> None:
        place = self.path(path)
        assert not place.exists()
        place.write_text(text)

    def put(self, path: str, line: str, after: str) -> None:
        """Add a line below the first one that begins like `after`."""
        text, found = re.subn(rf"(?m)^\s*{re.escape(after)}.*\n", lambda m: f"{m[0]}{line}\n", self.text(path), count=1)
        assert found, f"{path} has no line that begins with {after!r}"
        self.path(path).write_text(text)

    def name(self, path: str, known: str, new: str) -> None:
        """Put `new` behind `known` where names stand in a row."""
        assert known in self.text(path)
        self.path(path).write_text(self.text(path).replace(known, f"{known}, {new}", 1))

    def text(self, path: str) -> str:
        return self.path(path).read_text()

    def path(self, path: str) -> Path:
        """A path of the project, or one of the library."""
        outside = path.startswith(("workflow/", "tests/"))
        return self.folder / ("" if outside else "src/freeze_or_tune") / path

    def run(self, *command: str | Path) -> str:
        """What a command of the copy's prints."""
        environment = os.environ | {"PYTHONPATH": f"{self.folder / 'src'}:{self.folder}"}
        done = subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=environment, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "copy")


def recipe(title: str) -> str:
    """A paragraph of the page."""
    page = (ROOT / "docs/architecture.md").read_text()
    return next(part for part in page.split("\n\n") if part.startswith(f"**{title}.**"))


def test_each_recipe_is_short_and_names_files_that_are_there() -> None:
    titles = ("A dataset's reader", "A family of networks", "A metric of distance", "A figure", "A command")
    for title in titles:
        text = recipe(title)
        assert len(text.splitlines()) <= 5
        for file in re.findall(r"`([\w/]+\.(?:py|smk|rst))`", text):
            assert any(path.endswith(f"/{file}") for path in FILES), file


def test_a_reader(copy: Copy) -> None:
    copy.write("data/layouts/flowers.py", '''
from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, images_of, some


def read_flowers(archive: Archive) -> list[Listing]:
    """The class stands before the first underscore of a file's name."""
    found = [Listing(name, PurePosixPath(name).name.split("_")[0]) for name in images_of(archive)]
    return some(found, archive, "flowers", "<class>_<number>.jpg")
''')  # fmt: skip
    readers = "data/layouts/__init__.py"
    copy.put(
        readers, "from freeze_or_tune.data.layouts.flowers import read_flowers", "from freeze_or_tune.data.layouts.cub"
    )
    copy.put(readers, '    "flowers": read_flowers,', '"cub-200": read_cub,')
    copy.name("study/datasets.py", '"cub-200"', '"flowers"')
    with zipfile.ZipFile(copy.folder / "flowers.zip", "w") as archive:
        for name in ("rose_1.jpg", "rose_2.jpg", "tulip_1.jpg", "tulip_2.jpg"):
            archive.writestr(name, b"")
    said = copy.run("-c", '''
from pathlib import Path
import yaml
from freeze_or_tune.data.index import build_index
from freeze_or_tune.planning.estimates import RULES
from freeze_or_tune.study.reading import load_study
study = yaml.safe_load(Path("config/config.yaml").read_text())
study["datasets"]["flowers"] = {"reader": "flowers", "files": ["flowers.zip"]}
study["targets"] = {"flowers": {"dataset": "flowers", "source": "latin-a", "n": [1], "val": 1, "test": 1}}
print(RULES["store"](load_study(study), "flowers", "64"))
build_index("flowers", [Path("flowers.zip")], Path("index.csv"), 2)
print(Path("index.csv").read_text())
''')  # fmt: skip
    assert "Estimate(" in said
    assert "tulip_2.jpg,tulip,," in said
    assert '"flowers"' in copy.run("-m", "freeze_or_tune", "schema")


def test_a_family_of_networks(copy: Copy) -> None:
    copy.put("networks/families.py", "from timm.models.regnet import RegNet", "from timm.models.efficientnet")
    copy.put("networks/families.py", '''
def _regnet(model: RegNet) -> Blocks:
    classifier = without(model.head, "fc")
    top = {"final": model.final_conv, "head": model.head}
    return _staged({"stem": model.stem}, nn.Sequential(model.s1, model.s2, model.s3, model.s4), top, classifier)
''', "Blocks = ")  # fmt: skip
    copy.put("networks/families.py", "    RegNet: _regnet,", "ResNet: _resnet,")
    copy.put("study/backbones.py", '    r"regnet[xy]_": 6,', "_FAMILIES = {")
    copy.put("tests/networks/zoo.py", '    ("regnetx_002", 64, 6),', '("resnet18", 40, 6),')
    tests = ("tests/networks/test_zoo.py", "-k", "regnetx", "-m", "slow or not slow")
    said = copy.run("-m", "pytest", "-n0", "-p", "no:cacheprovider", *tests)
    assert int(re.findall(r"(\d+) passed", said)[0]) >= 5


def test_a_metric(copy: Copy) -> None:
    copy.name("study/metrics.py", '"mmd"', '"cityblock"')
    copy.put(
        "study/metrics.py", '    "cityblock": Description("city block", "City block distance", math.inf),', '"mmd": D'
    )
    copy.name("stages/distances/means.py", '"mmd": mmd', '"cityblock": lambda a, b: float(np.abs(a - b).sum())')
    said = copy.run("-c", '''
from pathlib import Path
import numpy as np, pandas as pd, yaml
from freeze_or_tune.analysis.show.plot import plot
from freeze_or_tune.records.distances import Distance, MeanFeatures
from freeze_or_tune.stages.distances.means import measure
from freeze_or_tune.study.reading import load_study
from tests.analysis.conftest import Results
study = yaml.safe_load(Path("config/config.yaml").read_text())
load_study(study | {"distances": {"metrics": ["cosine", "cityblock"]}})
results = Results(Path("results"))
for number, target in enumerate(("near", "far", "farther"), start=1):
    for scheme, accuracy in (("T1-7_R8", 0.5 + number / 10), ("F1-7_R8", 0.5)):
        results.experiment(target, 10, scheme, [accuracy])
    for name, mean in (("source", (1, 2)), ("target", (1, 2 + number))):
        MeanFeatures(images=1, mean=mean).write(f"{name}.json")
    for metric in ("cosine", "cityblock"):
        path = Path(f"results/distances/{target}/{metric}.json")
        measure(metric, "latin-a", target, Path("source.json"), Path("target.json"), path)
        results.distances.append(path)
plot(results.collect(), Path("shown"))
print(*pd.read_csv("shown/figures/fig4.csv")["metric"].unique())
print(Path("shown/tables/table2.md").read_text())
''')  # fmt: skip
    assert "cosine cityblock" in said
    assert re.search(r"\| farther +\| [\d.]+ +\| – +\| 3\.00 ", said), said


def test_a_figure(copy: Copy) -> None:
    copy.write("analysis/show/costs.py", '''
import pandas as pd
from matplotlib.figure import Figure

from freeze_or_tune.analysis.statistics.intervals import Evidence


def costs_data(evidence: Evidence) -> pd.DataFrame:
    """Figure 7's numbers."""
    return evidence.results[["scheme", "seconds", "test_accuracy"]]


def costs(evidence: Evidence) -> Figure:
    """Accuracy against time."""
    figure = Figure()
    figure.subplots().plot("seconds", "test_accuracy", ".", data=costs_data(evidence))
    return figure
''')  # fmt: skip
    numbers = "analysis/show/plot.py"
    copy.put(numbers, "from freeze_or_tune.analysis.show.costs import costs, costs_data", "from matplotlib.figure")
    copy.put(numbers, "    7: Drawing(costs_data, costs),", "4: Drawing(")
    copy.put("workflow/rules/labels.smk", '    "7": "What does it cost?",', '"4": "Which distance')
    copy.run("-c", '''
from pathlib import Path
from tests.analysis.conftest import Results
results = Results(Path("made"))
for scheme in ("T1-7_R8", "F1-7_R8"):
    results.experiment("digits", 10, scheme, [0.5])
results.collect()
''')  # fmt: skip
    copy.run("-m", "freeze_or_tune", "plot", "made/experiments.csv", "shown")
    assert (copy.folder / "shown/figures/fig7.pdf").read_bytes().startswith(b"%PDF")
    assert "results/figures/fig7.png" in copy.run("-m", "snakemake", "--dry-run", "--quiet", "host")


def test_a_command(copy: Copy) -> None:
    copy.write("commands/count.py", '''
"""`count`: how many experiments a study has."""

from freeze_or_tune.commands.options import Studies
from freeze_or_tune.running.studies import study_files


def count(study: Studies = None) -> None:
    """How many experiments a study has.

    Example: freeze-or-tune count --study paper
    """
    from freeze_or_tune.study.reading import read_study

    print(len(read_study(*study_files(study)).experiments()))
''')  # fmt: skip
    main = "__main__.py"
    text = copy.text(main).replace("(init, run,", "(init, run, count,")
    where = "from freeze_or_tune.commands.doctor import doctor\n"
    copy.path(main).write_text(text.replace(where, f"from freeze_or_tune.commands.count import count\n{where}"))
    assert "How many experiments a study has" in copy.run("-m", "freeze_or_tune", "--help")
    assert copy.run("-m", "freeze_or_tune", "count", "--study", "config/config.yaml") == "84\n"
