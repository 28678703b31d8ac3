# fc7 of every stored image of a dataset, by a source's network: <results>/features/<source>/<dataset>.npy and .csv.


rule features:
    input:
        store=lambda wildcards: store(wildcards.dataset, wildcards.source),
        weights="<results>/networks/{source}.safetensors",
    output:
        features="<results>/features/{source}/{dataset}.npy",
        index="<results>/features/{source}/{dataset}.csv",
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
