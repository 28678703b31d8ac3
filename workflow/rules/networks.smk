# Source networks: <results>/networks/<source>.safetensors, with the mean image, and how the training went (.json).


rule pretrain:
    input:
        store=store_of,
        split=lambda wildcards: f"<results>/splits/{wildcards.source}/n{study.source(wildcards.source).pretraining.n}.csv",
    output:
        weights="<results>/networks/{source}.safetensors",
        record="<results>/networks/{source}.json",
    log:
        "<logs>/pretrain/{source}.log",
    benchmark:
        "<benchmarks>/pretrain/{source}.tsv"
    threads: 2
    resources:
        gpu=1,
        mem_mb=memory("pretrain"),
        runtime=minutes("pretrain"),
    params:
        recipe=RECIPES["training"],
        settings=lambda wildcards: study.pretraining(wildcards.source).model_dump(mode="json"),
    script:
        "../scripts/pretrain.py"
