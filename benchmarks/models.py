"""The model of one's own images against the obvious: `python -m benchmarks.models`.

Some images a class of each dataset are laid into a folder as a user would have them; advice, race and model follow with
config/config.yaml. Logistic regression on the same network's features, and AdamW over the whole of it by hand at as
many rates as ours has candidates, choose on the same validation images and are then fitted once more to all images but
those that test, as the model is. All are asked about the same images: those of the folder that test, and others that
were never in it. Prints Markdown for docs/advice.md, with 95 % intervals of the differences (paired by image).
"""

import argparse
import subprocess
import sys
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image
from scipy.stats import norm

from benchmarks.by_hand import RATES, Tuning, frozen_by_hand
from benchmarks.compare import table
from freeze_or_tune.analysis.statistics.paired import difference
from freeze_or_tune.data.index import read_index
from freeze_or_tune.data.splits import read_split
from freeze_or_tune.data.store import Store
from freeze_or_tune.networks.build import scale_of
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.stages.deployed import Deployed
from freeze_or_tune.stages.features import source_network
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.training.augment import Preprocessing

DATASETS = ("photographs", "textures", "specimens", "greek", "digits", "solar-cells", "chess", "mathematics")
FOLDER = Path("results/models")
SOURCE = "imagenet"
CLASSES, EACH, OUTSIDE = 12, 20, 25
"""Classes that are laid into a folder, images of each, and images of each that are asked about besides."""


def write_study() -> Path:
    """The sources and the advice of config/config.yaml, with the datasets of config/evidence.yaml."""
    study, evidence = (yaml.safe_load(Path(f"config/{name}.yaml").read_text()) for name in ("config", "evidence"))
    study |= {
        "name": "models", "results": str(FOLDER), "datasets": evidence["datasets"],
        "sources": {SOURCE: study["sources"][SOURCE]}, "targets": {},
    }  # fmt: skip
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    return path


class Asked:
    """A dataset's images by subset, where those that test are all that have not been learnt from."""

    def __init__(self, dataset: str, path: Path) -> None:
        """Make the folders, the advice and the model with the study of that path."""
        self.path, self.study = path, read_study(path)
        self.sizes = self.study.network_of(SOURCE)
        self.images = f"images-{self.sizes.image_size}.npy"
        own, outside = self._folders(dataset)
        folder = FOLDER / "advice" / f"{dataset}-own"
        self._make(f"{folder}/model.json", own)
        self._make(f"{folder}-outside/{self.images}", outside)
        self.advice, self.weights = Advice.read(folder.with_suffix(".json")), folder / "model.safetensors"
        store, unseen = Store(folder / self.images), Store(Path(f"{folder}-outside", self.images))
        rows = read_split(folder / "split.csv", 0, 0, 0, pool="shares")
        label_of = {row.class_name: row.label for row in rows}
        self.pixels, self.labels = {}, {}
        for subset in ("train", "val", "test"):
            chosen = [row for row in rows if row.subset == subset]
            more = unseen.names if subset == "test" else []
            pixels = [store.images([row.image for row in chosen]), unseen.images(more)]
            labels = [row.label for row in chosen] + [label_of[name.split("/")[0]] for name in more]
            self.pixels[subset] = torch.from_numpy(np.concatenate(pixels))
            self.labels[subset] = torch.tensor(labels)

    def _folders(self, dataset: str) -> tuple[Path, Path]:
        """Folders of a dataset's images: one's own, and others."""
        whole = FOLDER / "advice" / dataset / self.images
        self._make(str(whole))
        own, outside = (FOLDER / "folders" / f"{dataset}{end}" for end in ("", "-outside"))
        if own.exists():
            return own, outside
        store, random = Store(whole), np.random.default_rng(0)
        classes: dict[str, list[str]] = defaultdict(list)
        for listing in read_index(FOLDER / f"indexes/{dataset}.csv"):
            classes[listing.class_name].append(listing.image)
        for number, (_, images) in enumerate(sorted(classes.items())[:CLASSES]):
            for place, image in enumerate(random.permutation(images)[: EACH + OUTSIDE]):
                folder = (own if place < EACH else outside) / f"class {number:02}"
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(store.images([image])[0]).save(folder / f"{place:02}.png")
        return own, outside

    def _make(self, target: str, images: Path | None = None) -> None:
        given = ["--configfile", str(self.path), *(["--config", f"images={images}"] if images else [])]
        subprocess.run([sys.executable, "-m", "snakemake", "--quiet", "all", *given, "--", target], check=True)

    def model(self) -> np.ndarray:
        """On which test images the model is right."""
        deployed, _ = Deployed.load(self.weights)
        return np.asarray(deployed.logits(self.pixels["test"].numpy()).argmax(1) == self.labels["test"].numpy())

    def frozen(self) -> np.ndarray:
        """On which logistic regression is right."""
        pretrained = load_pretrained(FOLDER / f"networks/{SOURCE}.safetensors")
        network = source_network(self.sizes, pretrained)
        cut = Preprocessing(
            pretrained.mean, self.sizes.crop, scale_of(self.sizes, torch.device("cpu")), bgr=self.sizes.bgr
        )
        with torch.no_grad():
            features = {
                subset: torch.cat([network.features(cut.centre_views(some.flip(-1))) for some in pixels.split(100)])
                for subset, pixels in self.pixels.items()
            }
        inputs, labels = ({subset: one.numpy() for subset, one in part.items()} for part in (features, self.labels))
        return frozen_by_hand(inputs, labels, refit=True)

    def tuned(self) -> np.ndarray:
        """On which AdamW by hand is right, at as many rates as ours has candidates."""
        (ours,) = (one for one in self.study.adaptations("own") if one.scheme.startswith("T"))
        pretrained = load_pretrained(FOLDER / f"networks/{SOURCE}.safetensors")
        by_hand = Tuning(self.sizes, pretrained, ours.solver, self.pixels, self.labels)
        return by_hand.right(RATES[:3], seed=0, refit=True)


def main() -> None:
    """Measure each dataset, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=DATASETS, help="of config/evidence.yaml")
    datasets = parser.parse_args().datasets
    warnings.simplefilter("ignore", UserWarning)  # of scikit-learn: few images a class
    z, path, rows = float(norm.ppf(0.975)), write_study(), []
    for dataset in datasets:
        asked = Asked(dataset, path)
        ours, frozen, tuned = asked.model(), asked.frozen(), asked.tuned()
        apart = [difference(ours, other, z) for other in (frozen, tuned)]
        spans = [f"{100 * one.value:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f})" for one in apart]
        percents = [f"{100 * right.mean():.1f}" for right in (ours, frozen, tuned)]
        rows.append((dataset, len(ours), asked.advice.advice, *percents, *spans))
        print(*rows[-1], file=sys.stderr)
    table(
        ("images", "asked", "advice", "model", "logistic regression", "AdamW by hand", "less regression", "less AdamW"),
        rows,
    )


if __name__ == "__main__":
    main()
