# Distance of a target to its source: <results>/distances/<target>/<metric>.json, metric in cosine, mmd, svm, cnn.


# Of a source whose images are not here: the cosine distance is then to this estimate.
rule estimate_mean:
    input:
        weights="<results>/networks/{source}.safetensors",
    output:
        mean="<results>/networks/{source}.mean.npy",
    log:
        "<logs>/estimate_mean/{source}.log",
    benchmark:
        "<benchmarks>/estimate_mean/{source}.tsv"
    localrule: True
    params:
        recipe=RECIPES["distance"],
        network=lambda wildcards: study.network_of(wildcards.source).model_dump(mode="json"),
    script:
        "../scripts/estimate_mean.py"


rule mean_distance:
    input:
        source=source_mean,
        target=target_features,
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
        estimated=lambda wildcards: study.source(source_of(wildcards)).dataset is None,
    script:
        "../scripts/mean_distance.py"


rule svm_distance:
    input:
        source=source_features,
        target=target_features,
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
        source=source_store,
        target=store_of,
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
