# Source networks: <results>/networks/<source>.safetensors, with the mean image, and how the training went, or where
# the weights are from (.json).


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
    wildcard_constraints:
        source=one_of(sorted(study.sources.keys() - study.imported())),
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


rule import_network:
    input:
        weights=lambda wildcards: named(study.imported()[wildcards.source].file),
        mean=mean_image,
    output:
        weights="<results>/networks/{source}.safetensors",
        record="<results>/networks/{source}.json",
    log:
        "<logs>/import_network/{source}.log",
    benchmark:
        "<benchmarks>/import_network/{source}.tsv"
    wildcard_constraints:
        source=one_of(study.imported()),
    localrule: True
    params:
        recipe=RECIPES["import"],
        network=lambda wildcards: study.network_of(wildcards.source).model_dump(mode="json"),
        by_order=lambda wildcards: study.imported()[wildcards.source].by_order,
    script:
        "../scripts/import_network.py"
