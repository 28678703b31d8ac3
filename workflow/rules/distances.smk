# Distance of a target to its source: <results>/distances/<target>/<metric>.json, metric in cosine, mmd, svm, cnn.


def features(dataset, source):
    return f"<results>/features/{source}/{dataset}"


def source_features(wildcards):
    source = source_of(wildcards)
    return features(study.dataset_of(source), source)


def target_features(wildcards):
    return features(study.dataset_of(wildcards.target), source_of(wildcards))


def images(dataset, source):
    return [store(dataset, source), *sample(dataset, source)]


def source_images(wildcards):
    source = source_of(wildcards)
    return images(study.dataset_of(source), source)


def target_images(wildcards):
    return images(study.dataset_of(wildcards.target), source_of(wildcards))


rule mean_distance:
    input:
        source=lambda wildcards: source_features(wildcards) + ".json",
        target=lambda wildcards: target_features(wildcards) + ".json",
    output:
        record="<results>/distances/{target}/{metric}.json",
    log:
        "<logs>/distances/{target}/{metric}.log",
    benchmark:
        "<benchmarks>/distances/{target}/{metric}.tsv"
    wildcard_constraints:
        metric="(?!svm|cnn)[^/]+",  # these two have rules of their own below
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        recipe=RECIPES["distance"],
        metric=lambda wildcards: study.metric(wildcards.metric),
        source=source_of,
    script:
        "../scripts/mean_distance.py"


rule svm_distance:
    input:
        source=lambda wildcards: source_features(wildcards) + ".npy",
        target=lambda wildcards: target_features(wildcards) + ".npy",
    output:
        record="<results>/distances/{target}/svm.json",
    log:
        "<logs>/distances/{target}/svm.log",
    benchmark:
        "<benchmarks>/distances/{target}/svm.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        recipe=RECIPES["distance"],
        source=source_of,
        svm=study.distances.svm.model_dump(),
        seed=study.seed,
    script:
        "../scripts/svm_distance.py"


rule cnn_distance:
    input:
        source=source_images,
        target=target_images,
    output:
        record="<results>/distances/{target}/cnn.json",
    log:
        "<logs>/distances/{target}/cnn.log",
    benchmark:
        "<benchmarks>/distances/{target}/cnn.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        recipe=RECIPES["distance"],
        source=source_of,
        cnn=study.distances.cnn.model_dump(),
        seed=study.seed,
    script:
        "../scripts/cnn_distance.py"
