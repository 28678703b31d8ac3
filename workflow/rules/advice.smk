# Freeze or tune one's own images: <results>/advice/<dataset>.md, and the model to go with it. A dataset here is one of
# the study's, or any other name with --config images=<path>. Its splits are its own (shares of each class).


rule own_store:
    input:
        files=files_of,
        index="<results>/indexes/{dataset}.csv",
    output:
        store="<results>/advice/{dataset}/images-{size}.npy",
        images="<results>/advice/{dataset}/images-{size}.csv",
        rejected="<results>/advice/{dataset}/images-{size}.rejected.csv",
    log:
        "<logs>/advice/{dataset}/images-{size}.log",
    benchmark:
        "<benchmarks>/advice/{dataset}/images-{size}.tsv"
    threads: 2
    resources:
        mem_mb=grown(4000),
        runtime=grown(60),
    params:
        recipe=RECIPES["store"],
        patch=lambda wildcards: getattr(study.dataset(wildcards.dataset), "patch", None),
        splits=None,  # all images
    script:
        "../scripts/store.py"


rule check:
    input:
        files=files_of,
        index="<results>/indexes/{dataset}.csv",
        store=lambda wildcards: own_store(wildcards.dataset, next(iter(study.sources))),
    output:
        record="<results>/advice/{dataset}/check.json",
        split="<results>/advice/{dataset}/split.csv",
    log:
        "<logs>/advice/{dataset}/check.log",
    benchmark:
        "<benchmarks>/advice/{dataset}/check.tsv"
    priority: 1  # what makes the images unfit is said before anything is computed of them
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        recipe=RECIPES["advice"],
        seed=study.seed,
        shares=study.advice.model_dump(include={"val", "test", "most"}),
    script:
        "../scripts/check.py"


rule own_features:
    input:
        store=lambda wildcards: own_store(wildcards.dataset, wildcards.source),
        weights="<results>/networks/{source}.safetensors",
        sample=[],
    output:
        features="<results>/advice/{dataset}/features/{source}.npy",
        index="<results>/advice/{dataset}/features/{source}.csv",
        mean="<results>/advice/{dataset}/features/{source}.json",
    log:
        "<logs>/advice/{dataset}/features/{source}.log",
    benchmark:
        "<benchmarks>/advice/{dataset}/features/{source}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grown(8000),
        runtime=grown(30),
    params:
        recipe=RECIPES["features"],
        network=lambda wildcards: study.network_of(wildcards.source).model_dump(mode="json"),
    script:
        "../scripts/features.py"


rule own_distance:
    input:
        source=lambda wildcards: mean_of(wildcards.source),
        target="<results>/advice/{target}/features/{source}.json",
    output:
        record="<results>/advice/{target}/distances/{source}.json",
    log:
        "<logs>/advice/{target}/distances/{source}.log",
    benchmark:
        "<benchmarks>/advice/{target}/distances/{source}.tsv"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        recipe=RECIPES["distance"],
        metric="cosine",
        source=lambda wildcards: wildcards.source,
    script:
        "../scripts/mean_distance.py"


rule advice:
    input:
        check="<results>/advice/{dataset}/check.json",
        distances=expand("<results>/advice/{{dataset}}/distances/{source}.json", source=study.sources),
        evidence=list(study.advice.evidence) or ["<results>/experiments.csv"],
    output:
        record="<results>/advice/{dataset}.json",
        markdown=report("<results>/advice/{dataset}.md", category="Advice", caption="../report/advice.rst"),
        pdf="<results>/advice/{dataset}.pdf",
        png=report("<results>/advice/{dataset}.png", category="Advice", caption="../report/advice.rst"),
    log:
        "<logs>/advice/{dataset}.log",
    benchmark:
        "<benchmarks>/advice/{dataset}.tsv"
    localrule: True
    params:
        recipe=(RECIPES["advice"], RECIPES["analysis"]),
        blocks={source: study.network_of(source).blocks for source in study.sources},
    script:
        "../scripts/advice.py"


rule model:
    input:
        advice="<results>/advice/{dataset}.json",
        split="<results>/advice/{dataset}/split.csv",
        stores=lambda wildcards: [own_store(wildcards.dataset, source) for source in study.sources],
        weights=expand("<results>/networks/{source}.safetensors", source=study.sources),
    output:
        weights="<results>/advice/{dataset}/model.safetensors",
        record="<results>/advice/{dataset}/model.json",
        card=report("<results>/advice/{dataset}/model.md", category="Advice", caption="../report/advice.rst"),
        png="<results>/advice/{dataset}/confusion.png",
        pdf="<results>/advice/{dataset}/confusion.pdf",
    log:
        "<logs>/advice/{dataset}/model.log",
    benchmark:
        "<benchmarks>/advice/{dataset}/model.tsv"
    threads: 2
    resources:
        gpu=1,
        mem_mb=grown(8000),
        runtime=grown(120),
    params:
        recipe=(RECIPES["advice"], RECIPES["training"]),
        sources=list(study.sources),
        settings=lambda wildcards: [s.model_dump(mode="json") for s in study.adaptations(wildcards.dataset)],
    script:
        "../scripts/model.py"


rule onnx:
    input:
        "<results>/advice/{dataset}/model.safetensors",
    output:
        "<results>/advice/{dataset}/model.onnx",
    log:
        "<logs>/advice/{dataset}/onnx.log",
    benchmark:
        "<benchmarks>/advice/{dataset}/onnx.tsv"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        recipe=RECIPES["advice"],
    script:
        "../scripts/export_onnx.py"
