# The study of this run, and what rules ask of it.
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

from freeze_or_tune.data.downloads import find, read_downloads
from freeze_or_tune.errors import UserError
from freeze_or_tune.recipes import RECIPES
from freeze_or_tune.study import load_study


report: "../report/workflow.rst"


try:
    study = load_study(config)
    downloads = read_downloads(Path(workflow.source_path("../../config/downloads.csv")))
except UserError as error:
    raise WorkflowError(str(error))


EXPERIMENTS = [f"<results>/experiments/{target}/n{n}/{scheme}.json" for target, n, scheme in study.experiments()]
DISTANCES = expand("<results>/distances/{target}/{metric}.json", target=study.targets, metric=study.distances.metrics)


def files_of(wildcards):
    return study.dataset(wildcards.dataset).files


def store(dataset, source):
    """The store of a dataset at the image size of a source's network."""
    return f"<results>/stores/{dataset}-{study.network_of(source).image_size}.npy"


def store_of(wildcards):
    """The store that a source (by its own name) or a target learns from."""
    name = wildcards.get("target") or wildcards.source
    return store(study.dataset_of(name), study.source_of(name))


def source_of(wildcards):
    return study.target(wildcards.target).source


def source_store(wildcards):
    source = source_of(wildcards)
    return store(study.dataset_of(source), source)


def features(dataset, source):
    return f"<results>/features/{source}/{dataset}.npy"


def source_features(wildcards):
    source = source_of(wildcards)
    return features(study.dataset_of(source), source)


def source_mean(wildcards):
    """What a mean distance is to: features of the source's images, or their estimated mean."""
    source = source_of(wildcards)
    return source_features(wildcards) if study.source(source).dataset else f"<results>/networks/{source}.mean.npy"


def target_features(wildcards):
    return features(study.dataset_of(wildcards.target), source_of(wildcards))


def one_of(names):
    """A wildcard's constraint to these names; nothing matches that of none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def settings_of_experiment(wildcards):
    return study.experiment(wildcards.target, int(wildcards.n), wildcards.scheme).model_dump(mode="json")


def contents(wildcards):
    """What config/downloads.csv says a file is. Not where it comes from: a new mirror is no reason to download anew."""
    try:
        row = find(downloads, wildcards.dataset, wildcards.file)
    except UserError as error:
        raise WorkflowError(str(error))
    return row.model_dump(mode="json", include={"bytes", "algorithm", "digest"})
