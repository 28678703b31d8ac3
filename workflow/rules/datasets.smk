# From nothing to stores and splits: <results>/stores/<dataset>-<pixels>.npy, <results>/splits/<target>/n<k>.csv.
# A dataset's files (archives, folders, lists) are indexed, the images that some split uses are decoded once into a
# store, and splits are drawn from what could be decoded. A source has a split too: the one it is pretrained on.


# Fetched, or found where a person placed it, and verified; write-protected by the script (docs/architecture.md says why).
rule download:
    output:
        "<resources>/downloads/{dataset}/{file}",
    log:
        "<logs>/download/{dataset}/{file}.log",
    benchmark:
        "<benchmarks>/download/{dataset}/{file}.tsv"
    localrule: True
    params:
        contents=contents,
    script:
        "../scripts/download.py"


# A dataset of the Hugging Face Hub by its name (study/hub.py), in the revision of its first download.
rule hub:
    output:
        directory("<resources>/hub/{repository}"),
    log:
        "<logs>/hub/{repository}.log",
    benchmark:
        "<benchmarks>/hub/{repository}.tsv"
    localrule: True
    script:
        "../scripts/hub.py"


rule glyphs:
    output:
        "<resources>/builtin/{alphabet}-{images}.zip",
    log:
        "<logs>/glyphs/{alphabet}-{images}.log",
    benchmark:
        "<benchmarks>/glyphs/{alphabet}-{images}.tsv"
    wildcard_constraints:
        alphabet="[a-z-]+",
        images="[0-9]+",
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        recipe=RECIPES["builtin"],
    script:
        "../scripts/glyphs.py"


rule digits:
    output:
        "<resources>/builtin/digits.zip",
    log:
        "<logs>/digits.log",
    benchmark:
        "<benchmarks>/digits.tsv"
    localrule: True
    params:
        recipe=RECIPES["builtin"],
    script:
        "../scripts/digits.py"


rule index:
    input:
        files=files_of,
    output:
        index="<results>/indexes/{dataset}.csv",
        # Kept while it is made anew: it says which of the dataset's alternatives this is.
        noticed=update("<results>/indexes/{dataset}.json"),
    log:
        "<logs>/index/{dataset}.log",
    benchmark:
        "<benchmarks>/index/{dataset}.tsv"
    resources:
        # WHOI-Plankton's 3.4 million names and where they lie take 3.7 GB; a gzipped tar is read to its end.
        mem_mb=grown(6000),
        runtime=grown(240),
    params:
        recipe=RECIPES["index"],
        reader=lambda wildcards: study.dataset(wildcards.dataset).reader,
        half=lambda wildcards: getattr(study.dataset(wildcards.dataset), "half", None),
        smallest_class=lambda wildcards: study.dataset(wildcards.dataset).smallest_class,
        own=own_images,
        opening=opening,
        digests=digests,
    script:
        "../scripts/index.py"


rule store:
    input:
        files=files_of,
        index="<results>/indexes/{dataset}.csv",
    output:
        store="<results>/stores/{dataset}-{size}.npy",
        images="<results>/stores/{dataset}-{size}.csv",
        rejected="<results>/stores/{dataset}-{size}.rejected.csv",
        decoding="<results>/stores/{dataset}-{size}.json",
    log:
        "<logs>/store/{dataset}-{size}.log",
    benchmark:
        "<benchmarks>/store/{dataset}-{size}.tsv"
    threads: 2
    resources:
        mem_mb=memory("store"),
        runtime=minutes("store"),
    params:
        recipe=RECIPES["store"],
        patch=lambda wildcards: getattr(study.dataset(wildcards.dataset), "patch", None),
        orientation=lambda wildcards: getattr(study.dataset(wildcards.dataset), "orientation", "stored"),
        range=lambda wildcards: getattr(study.dataset(wildcards.dataset), "range", None),
        opening=opening,
        splits=lambda wildcards: [
            split.model_dump(exclude={"dataset"}) for split in study.splits_of_dataset(wildcards.dataset)
        ],
    script:
        "../scripts/store.py"


rule split:
    input:
        index=lambda wildcards: f"<results>/indexes/{study.dataset_of(wildcards.target)}.csv",
        rejected=lambda wildcards: store_of(wildcards).replace(".npy", ".rejected.csv"),
    output:
        split="<results>/splits/{target}/n{n}.csv",
        counts="<results>/splits/{target}/n{n}.json",
    log:
        "<logs>/split/{target}/n{n}.log",
    benchmark:
        "<benchmarks>/split/{target}/n{n}.tsv"
    localrule: True
    params:
        recipe=RECIPES["split"],
        dataset=lambda wildcards: study.dataset_of(wildcards.target),
        draw=lambda wildcards: study.split(wildcards.target, int(wildcards.n)).model_dump(exclude={"dataset"}),
    script:
        "../scripts/split.py"


# What the images look like, for the report's page.
rule samples:
    input:
        store=any_store,
        index="<results>/indexes/{dataset}.csv",
    output:
        "<results>/samples/{dataset}.png",
    log:
        "<logs>/samples/{dataset}.log",
    benchmark:
        "<benchmarks>/samples/{dataset}.tsv"
    localrule: True
    params:
        recipe=RECIPES["samples"],
    script:
        "../scripts/samples.py"
