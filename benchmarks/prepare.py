"""What both sides start from: the workflow's stores, splits and source weights, and the same images as a folder."""

import subprocess
import sys
from pathlib import Path

from freeze_or_tune.data.archives import open_archives
from freeze_or_tune.data.splits import read_split
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.study.settings import TrainingSettings
from freeze_or_tune.study.study import Study

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "benchmarks/study.yaml"


class Prepared:
    """Files of the benchmark's study, made by the workflow where they are not there yet."""

    def __init__(self) -> None:
        """Make what is missing: needs the network once, for the solar cells."""
        self.study: Study = read_study(STUDY)
        self.results = ROOT / self.study.results
        files = [self.weights(source) for source in self.study.sources]
        for name, target in self.study.targets.items():
            files += [self.store(name), *(self.split(name, n) for n in target.n)]
        command = ["-m", "snakemake", "--configfile", STUDY, "--quiet", "all", "--", *sorted(set(files))]
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True)

    def weights(self, source: str) -> Path:
        """A source network."""
        return Path(self.study.results, f"networks/{source}.safetensors")

    def store(self, target: str) -> Path:
        """The packed images of a target."""
        size = self.study.network_of(self.study.target(target).source).image_size
        return Path(self.study.results, f"stores/{self.study.dataset_of(target)}-{size}.npy")

    def split(self, target: str, n: int) -> Path:
        """Which images train."""
        return Path(self.study.results, f"splits/{target}/n{n}.csv")

    def store_seconds(self, target: str) -> float:
        """What building the store took, as Snakemake measured it."""
        table = Path(self.study.results, f"benchmarks/store/{self.store(target).stem}.tsv")
        return float((ROOT / table).read_text().splitlines()[1].split("\t")[0])

    def settings(self, target: str, n: int, scheme: str, **solver: object) -> TrainingSettings:
        """An experiment's settings, with other values of the solver where they are given."""
        settings = self.study.experiment(target, n, scheme)
        return settings.model_copy(update={"solver": settings.solver.model_copy(update=solver)})

    def folder(self, target: str, n: int) -> Path:
        """The images of a split as files: <subset>/<class>/<image>, byte for byte as in the dataset."""
        folder = self.results / "files" / target / f"n{n}"
        if folder.exists():
            return folder
        dataset = self.study.dataset(self.study.dataset_of(target))
        sizes = self.study.split(target, n)
        with open_archives([ROOT / path for path in dataset.files]) as images:
            for row in read_split(ROOT / self.split(target, n), n, sizes.val, sizes.test):
                path = folder / row.subset / row.class_name / row.image.replace("/", "-")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(images.read(row.image))
        return folder
