# Freeze or tune one's own images: <results>/advice/<dataset>.md, and the model to go with it. A dataset here is one of
# the study's, or any other name with --config images=<path>. Its splits are its own (shares of each class).

import math

ADVISED = study.advised_sources()


rule own_store:
    input:
        files=own_files,
        index="<results>/indexes/{dataset}.csv",
    output:
        store="<results>/advice/{dataset}/images-{size}.npy",
        images="<results>/advice/{dataset}/images-{size}.csv",
        rejected="<results>/advice/{dataset}/images-{size}.rejected.csv",
        decoding="<results>/advice/{dataset}/images-{size}.json",
    log:
        "<logs>/advice/{dataset}/images-{size}.log",
    benchmark:
        "<benchmarks>/advice/{dataset}/images-{size}.tsv"
    threads: all_here
    resources:
        mem_mb=grown(4000),
        runtime=grown(60),
    params:
        recipe=RECIPES["store"],
        patch=lambda wildcards: getattr(study.dataset(wildcards.dataset), "patch", None),
        orientation=lambda wildcards: getattr(study.dataset(wildcards.dataset), "orientation", "stored"),
        range=lambda wildcards: getattr(study.dataset(wildcards.dataset), "range", None),
        opening=opening,
        splits=None,  # all images
    script:
        "../scripts/store.py"


rule check:
    input:
        index="<results>/indexes/{dataset}.csv",
        noticed="<results>/indexes/{dataset}.json",
        store=lambda wildcards: own_store(wildcards.dataset, ADVISED[0]),
        weights=f"<results>/networks/{ADVISED[0]}.safetensors",
    output:
        record="<results>/advice/{dataset}/check.json",
        split="<results>/advice/{dataset}/split.csv",
    log:
        "<logs>/advice/{dataset}/check.log",
    benchmark:
        "<benchmarks>/advice/{dataset}/check.tsv"
    priority: 1  # what makes the images unfit is said before anything is computed of them
    threads: 2
    resources:
        gpu=1,
        mem_mb=grown(4000),
        runtime=grown(30),
    params:
        recipe=RECIPES["advice"],
        network=study.network_of(ADVISED[0]).model_dump(mode="json"),
        seed=study.seed,
        shares=study.advice.model_dump(include={"val", "test", "most", "near_copies"}),
    script:
        "../scripts/check.py"


# What the outputs of each block of a source's network tell of one's own images, and their mean features.
rule own_probe:
    input:
        store=lambda wildcards: own_store(wildcards.dataset, wildcards.source),
        weights="<results>/networks/{source}.safetensors",
        split="<results>/advice/{dataset}/split.csv",
        index="<results>/indexes/{dataset}.csv",
    output:
        record="<results>/advice/{dataset}/probes/{source}.json",
        mean="<results>/advice/{dataset}/probes/{source}.mean.json",
    log:
        "<logs>/advice/{dataset}/probes/{source}.log",
    benchmark:
        "<benchmarks>/advice/{dataset}/probes/{source}.tsv"
    threads: 2
    resources:
        gpu=1,
        mem_mb=grown(4000),
        runtime=grown(30),
    params:
        recipe=RECIPES["probe"],
        source=lambda wildcards: wildcards.source,
        network=lambda wildcards: study.network_of(wildcards.source).model_dump(mode="json"),
        seed=study.seed,
    script:
        "../scripts/probe.py"


rule own_distance:
    input:
        source=lambda wildcards: mean_of(wildcards.source),
        target="<results>/advice/{target}/probes/{source}.mean.json",
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


OWN_PROBES = expand("<results>/advice/{{dataset}}/probes/{source}.json", source=ADVISED)
TRAINED_ON = {
    "split": "<results>/advice/{dataset}/split.csv",
    "stores": lambda wildcards: [own_store(wildcards.dataset, source) for source in ADVISED],
    "weights": expand("<results>/networks/{source}.safetensors", source=ADVISED),
}


rule race:
    input:
        **TRAINED_ON,
        profiles=OWN_PROBES,
    output:
        record="<results>/advice/{dataset}/race.json",
    log:
        "<logs>/advice/{dataset}/race.log",
    benchmark:
        "<benchmarks>/advice/{dataset}/race.tsv"
    threads: 2
    resources:
        gpu=1,
        mem_mb=grown(8000),
        runtime=grown(30 + 2 * math.ceil(study.budget or 0)),
    params:
        recipe=(RECIPES["advice"], RECIPES["training"]),
        sources=ADVISED,
        settings=settings_of_advice,
        advising=study.advice.model_dump(include={"val", "test", "margin"}),
        budget=study.budget,
    script:
        "../scripts/race.py"


rule advice:
    input:
        check="<results>/advice/{dataset}/check.json",
        profiles=OWN_PROBES,
        distances=expand("<results>/advice/{{dataset}}/distances/{source}.json", source=filter(measurable, ADVISED)),
        race=[] if study.budget == 0 else "<results>/advice/{dataset}/race.json",
        evidence=[named(path) for path in study.advice.evidence],
        store=lambda wildcards: own_store(wildcards.dataset, ADVISED[0]),
        split="<results>/advice/{dataset}/split.csv",
    output:
        record="<results>/advice/{dataset}.json",
        markdown=report("<results>/advice/{dataset}.md", category="Advice", caption="../report/advice.rst"),
        html=report("<results>/advice/{dataset}.html", category="Advice", caption="../report/advice.rst"),
        pdf="<results>/advice/{dataset}.pdf",
        png=report("<results>/advice/{dataset}.png", category="Advice", caption="../report/advice.rst"),
    log:
        "<logs>/advice/{dataset}.log",
    benchmark:
        "<benchmarks>/advice/{dataset}.tsv"
    localrule: True
    params:
        recipe=(RECIPES["advice"], RECIPES["analysis"]),
        blocks={source: study.network_of(source).blocks for source in ADVISED},
        configfiles=CONFIGFILES,
    script:
        "../scripts/advice.py"


rule model:
    input:
        **TRAINED_ON,
        advice="<results>/advice/{dataset}.json",
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
        sources=ADVISED,
        settings=settings_of_advice,
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
