# Distance of a target to its source: <results>/distances/<target>/<metric>.json, metric in cosine, mmd, svm, cnn.


rule mean_distance:
    input:
        source=lambda wildcards: features(*source_side(wildcards), "json"),
        target=lambda wildcards: features(*target_side(wildcards), "json"),
    output:
        record="<results>/distances/{target}/{metric}.json",
    log:
        "<logs>/distances/{target}/{metric}.log",
    benchmark:
        "<benchmarks>/distances/{target}/{metric}.tsv"
    wildcard_constraints:
        metric="(?!svm|cnn)[^/]+",  # these two have rules of their own below
    localrule: True
    params:
        recipe=RECIPES["distance"],
        metric=lambda wildcards: study.metric(wildcards.metric),
        source=source_of,
    script:
        "../scripts/mean_distance.py"


rule svm_distance:
    input:
        source=lambda wildcards: features(*source_side(wildcards), "npy"),
        target=lambda wildcards: features(*target_side(wildcards), "npy"),
    output:
        record="<results>/distances/{target}/svm.json",
    log:
        "<logs>/distances/{target}/svm.log",
    benchmark:
        "<benchmarks>/distances/{target}/svm.tsv"
    resources:
        mem_mb=memory("svm_distance"),
        runtime=minutes("svm_distance"),
    params:
        recipe=RECIPES["distance"],
        source=source_of,
        svm=study.distances.svm.model_dump(),
        seed=study.seed,
    script:
        "../scripts/svm_distance.py"


rule cnn_distance:
    input:
        source=lambda wildcards: [store(*source_side(wildcards)), *sample(*source_side(wildcards))],
        target=lambda wildcards: [store(*target_side(wildcards)), *sample(*target_side(wildcards))],
    output:
        record="<results>/distances/{target}/cnn.json",
    log:
        "<logs>/distances/{target}/cnn.log",
    benchmark:
        "<benchmarks>/distances/{target}/cnn.tsv"
    threads: 1
    resources:
        mem_mb=memory("cnn_distance"),
        runtime=minutes("cnn_distance"),
    params:
        recipe=RECIPES["distance"],
        source=source_of,
        cnn=study.distances.cnn.model_dump(),
        seed=study.seed,
    script:
        "../scripts/cnn_distance.py"
