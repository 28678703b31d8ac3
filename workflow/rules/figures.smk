# The paper's tables and figures, each from <results>/experiments.csv alone, and the learning curves of the report.


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
        number=one_of(CONTENTS),
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
        number=one_of(QUESTIONS),
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
        sources={name: source.dataset for name, source in study.sources.items() if source.dataset},
        configfiles=CONFIGFILES,
    script:
        "../scripts/page.py"
