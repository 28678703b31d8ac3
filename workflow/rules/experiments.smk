# One job for each (split, scheme): <results>/experiments/<target>/n<k>/<scheme>.json, and all of them in one table.


rule experiment:
    input:
        store=store_of,
        split="<results>/splits/{target}/n{n}.csv",
        weights=lambda wildcards: f"<results>/networks/{study.target(wildcards.target).source}.safetensors",
    output:
        **EXPERIMENT_FILES,
    log:
        "<logs>/experiments/{target}/n{n}/{scheme}.log",
    benchmark:
        "<benchmarks>/experiments/{target}/n{n}/{scheme}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=memory("experiment"),
        runtime=minutes("experiment"),
    params:
        recipe=RECIPES["training"],
        settings=settings_of_experiment,
    script:
        "../scripts/experiment.py"


# What each block of the source's network tells of a split's images, if the study asks for it.
rule probe:
    input:
        store=store_of,
        weights=lambda wildcards: f"<results>/networks/{study.target(wildcards.target).source}.safetensors",
        split="<results>/splits/{target}/n{n}.csv",
        index=lambda wildcards: f"<results>/indexes/{study.dataset_of(wildcards.target)}.csv",
    output:
        record="<results>/probes/{target}/n{n}.json",
        mean="<results>/probes/{target}/n{n}.mean.json",
    log:
        "<logs>/probes/{target}/n{n}.log",
    benchmark:
        "<benchmarks>/probes/{target}/n{n}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=memory("probe"),
        runtime=minutes("probe"),
    params:
        recipe=RECIPES["probe"],
        source=source_of,
        network=lambda wildcards: study.network_of(source_of(wildcards)).model_dump(mode="json"),
        seed=study.seed,
    script:
        "../scripts/probe.py"


PROBES = [
    f"<results>/probes/{target}/n{n}.json" for target, chosen in study.targets.items() for n in chosen.n if study.probes
]

# What a search leaves besides: the same table at one rate, and all candidates.
SEARCHED = (
    {"one_rate": "<results>/one-rate/experiments.csv", "candidates": "<results>/candidates.csv"}
    if study.solver.search
    else {}
)


rule collect:
    input:
        experiments=EXPERIMENTS,
        distances=DISTANCES,
        splits=SPLITS,
        probes=PROBES,
    output:
        report("<results>/experiments.csv", category="Experiments", caption="../report/experiments.rst"),
        **SEARCHED,
    log:
        "<logs>/collect.log",
    benchmark:
        "<benchmarks>/collect.tsv"
    localrule: True
    params:
        recipe=RECIPES["analysis"],
        rule=study.solver.search.rule if study.solver.search else None,
    script:
        "../scripts/collect.py"
