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
EXPERIMENT_FILES = {"record": "<results>/experiments/{target}/n{n}/{scheme}.json"}
if study.keep_models:
    EXPERIMENT_FILES["model"] = "<results>/experiments/{target}/n{n}/{scheme}.safetensors"
SPLITS = [f"<results>/splits/{target}/n{n}.json" for target, chosen in study.targets.items() for n in chosen.n]
DISTANCES = expand("<results>/distances/{target}/{metric}.json", target=study.targets, metric=study.distances.metrics)

SAMPLES = expand("<results>/samples/{dataset}.png", dataset=study.used_datasets())


def files_of(wildcards):
    return study.dataset(wildcards.dataset).files


def store(dataset, source):
    """The store of a dataset at the image size of a source's network."""
    return f"<results>/stores/{dataset}-{study.network_of(source).image_size}.npy"


def own_store(dataset, source):
    """All images of a dataset that advice is sought for, at the image size of a source's network."""
    return f"<results>/advice/{dataset}/images-{study.network_of(source).image_size}.npy"


def store_of(wildcards):
    """The store that a source (by its own name) or a target learns from."""
    name = wildcards.get("target") or wildcards.source
    return store(study.dataset_of(name), study.source_of(name))


def any_store(wildcards):
    """The store of a dataset at the image size of the first source or target that uses it."""
    return store(wildcards.dataset, study.source_of(study.users_of(wildcards.dataset)[0]))


def source_of(wildcards):
    return study.target(wildcards.target).source


def sample(dataset, source):
    """The split whose training images stand for a dataset as a source sees it; without one, all stored ones do."""
    chosen = study.source(source)
    return [f"<results>/splits/{source}/n{chosen.sample}.csv"] if chosen.sample and dataset == chosen.dataset else []


def features(dataset, source, suffix):
    return f"<results>/features/{source}/{dataset}.{suffix}"


def source_side(wildcards):
    return study.dataset_of(source_of(wildcards)), source_of(wildcards)


def mean_of(source):
    """What a mean distance is to: the mean features of the source's images, or their estimate."""
    dataset = study.source(source).dataset
    return f"<results>/networks/{source}.mean.json" if dataset is None else features(dataset, source, "json")


def source_mean(wildcards):
    return mean_of(source_of(wildcards))


def target_side(wildcards):
    return study.dataset_of(wildcards.target), source_of(wildcards)


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
