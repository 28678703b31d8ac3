# fc7 of the stored images of a dataset, by a source's network: <results>/features/<source>/<dataset>.npy, their names
# (.csv) and their mean (.json). Of a source's own dataset only its sample, if it has one.


rule features:
    input:
        store=lambda wildcards: store(wildcards.dataset, wildcards.source),
        weights="<results>/networks/{source}.safetensors",
        sample=lambda wildcards: sample(wildcards.dataset, wildcards.source),
    output:
        features="<results>/features/{source}/{dataset}.npy",
        index="<results>/features/{source}/{dataset}.csv",
        mean="<results>/features/{source}/{dataset}.json",
    log:
        "<logs>/features/{source}/{dataset}.log",
    benchmark:
        "<benchmarks>/features/{source}/{dataset}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=memory("features"),
        runtime=minutes("features"),
    params:
        recipe=RECIPES["features"],
        network=lambda wildcards: study.network_of(wildcards.source).model_dump(mode="json"),
    script:
        "../scripts/features.py"
