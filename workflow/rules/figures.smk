# The paper's tables and figures, each from <results>/experiments.csv alone, and the learning curves of the report.
from freeze_or_tune.analysis.paper import DATA_RANGES
from freeze_or_tune.schemes import Scheme

QUESTIONS = {
    "1": "Copy all blocks but the last, or fewer?",
    "2": "Fine-tune what is copied, or freeze it?",
    "3": "How accurate is each scheme?",
    "4": "Which distance predicts best?",
}
CONTENTS = {"1": "Targets and splits", "2": "Distances", "3": "Freeze or tune, by level"}
MODES = {"T": "fine-tuned", "F": "frozen", None: "none"}


def labels_of_figure(wildcards):
    return {"Figure": wildcards.number, "Question": QUESTIONS[wildcards.number]}


def labels_of_table(wildcards):
    return {"Table": wildcards.number, "Content": CONTENTS[wildcards.number]}


def labels_of_curves(wildcards):
    """The report makes a switch of a label with two values, so T and F come last, and the level, which it never makes
    one of, first."""
    scheme = Scheme.parse(wildcards.scheme)
    return {
        "Images a class": f"{wildcards.level} ({DATA_RANGES[wildcards.level]})",
        "Random blocks": scheme.random_part,
        "Copied blocks": MODES[scheme.mode],
    }


rule table:
    input:
        "<results>/experiments.csv",
    output:
        csv="<results>/tables/table{number}.csv",
        markdown=report(
            "<results>/tables/table{number}.md",
            category="Tables",
            labels=labels_of_table,
            caption="../report/table.rst",
        ),
        latex="<results>/tables/table{number}.tex",
        provenance="<results>/tables/table{number}.json",
    log:
        "<logs>/tables/table{number}.log",
    benchmark:
        "<benchmarks>/tables/table{number}.tsv"
    wildcard_constraints:
        number="[123]",
    localrule: True
    params:
        recipe=RECIPES["analysis"],
    script:
        "../scripts/table.py"


rule figure:
    input:
        "<results>/experiments.csv",
    output:
        pdf="<results>/figures/fig{number}.pdf",
        png=report(
            "<results>/figures/fig{number}.png",
            category="Figures",
            labels=labels_of_figure,
            caption="../report/figure.rst",
        ),
        data="<results>/figures/fig{number}.csv",
        provenance="<results>/figures/fig{number}.json",
    log:
        "<logs>/figures/fig{number}.log",
    benchmark:
        "<benchmarks>/figures/fig{number}.tsv"
    wildcard_constraints:
        number="[1234]",
    localrule: True
    params:
        recipe=RECIPES["analysis"],
    script:
        "../scripts/figure.py"


rule curves:
    input:
        EXPERIMENTS,
    output:
        report(
            directory("<results>/figures/curves"),
            patterns=["{target}/{level}/{scheme}.png"],
            category="Learning curves",
            subcategory="{target}",
            labels=labels_of_curves,
            caption="../report/curves.rst",
        ),
    log:
        "<logs>/figures/curves.log",
    benchmark:
        "<benchmarks>/figures/curves.tsv"
    localrule: True
    params:
        recipe=RECIPES["analysis"],
    script:
        "../scripts/curves.py"


# Everything to look into in a browser, in one file that needs no network.
rule page:
    input:
        results="<results>/experiments.csv",
        experiments=EXPERIMENTS,
        samples=SAMPLES,
    output:
        "<results>/report/index.html",
    log:
        "<logs>/page.log",
    benchmark:
        "<benchmarks>/page.tsv"
    localrule: True
    params:
        recipe=RECIPES["analysis"],
        sources={name: study.dataset_of(name) for name in study.sources},
    script:
        "../scripts/page.py"
