# Where the files of datasets, sources and targets lie, and what is trained for advice, for the rules that share them.


pathvars:
    results=study.results,
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


MADE = ("resources/", f"{study.results}/")


def named(path):
    """A file that a study names: a person's lies where it says, only what a rule makes lies below a module's prefix."""
    stored = workflow.storage_settings.default_storage_provider  # which has the person's files, too
    return path if stored or path.startswith(MADE) else local(path)


def files_of(wildcards):
    return [named(path) for path in study.dataset(wildcards.dataset).files]


def own_files(wildcards):
    """The files that advice is sought for: those that were given, which a dataset of the study would hide."""
    if study.images is not None and wildcards.dataset in study.datasets:
        raise WorkflowError(f"the study has a dataset {wildcards.dataset}; give your images another name")
    return files_of(wildcards)


def digests(wildcards):
    """Those that the table of downloads has of a dataset's files, by their names."""
    rows = [row_of(downloads, file) for file in study.dataset(wildcards.dataset).files]
    return {row.file: f"{row.algorithm}:{row.digest}" for row in rows if row and row.digest}


def contents(wildcards):
    """What config/downloads.csv says a file is. Not where it comes from: a new mirror is no reason to download anew."""
    try:
        row = find(downloads, wildcards.dataset, wildcards.file)
    except UserError as error:
        raise WorkflowError(str(error))
    return row.model_dump(mode="json", include={"bytes", "algorithm", "digest"})


def opening(wildcards):
    """How a dataset's files are opened, as far as it is not as usual."""
    return getattr(study.dataset(wildcards.dataset), "opening", USUAL).model_dump(exclude_unset=True)


def mean_image(wildcards):
    """The mean image that comes with weights of others, if there is one."""
    mean = study.imported()[wildcards.source].mean
    return named(mean) if mean else []


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


def measurable(source):
    """Whether a distance to a source can be measured: by its images, its mean features, or an estimate of them."""
    chosen = study.source(source)
    return bool(chosen.dataset or chosen.mean_features or study.network_of(source).estimable)


def mean_of(source):
    """What a mean distance is to: the mean features of the source's images, or their estimate."""
    chosen = study.source(source)
    if chosen.mean_features:
        return named(chosen.mean_features)
    return features(chosen.dataset, source, "json") if chosen.dataset else f"<results>/networks/{source}.mean.json"


def source_mean(wildcards):
    return mean_of(source_of(wildcards))


def target_side(wildcards):
    return study.dataset_of(wildcards.target), source_of(wildcards)


def settings_of_advice(wildcards):
    return [settings.model_dump(mode="json") for settings in study.adaptations(wildcards.dataset)]
