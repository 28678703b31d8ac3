# The paper's tables and figures, each from <results>/experiments.csv alone.


rule table:
    input:
        "<results>/experiments.csv",
    output:
        csv="<results>/tables/table{number}.csv",
        markdown=report("<results>/tables/table{number}.md", category="Tables", caption="../report/table.rst"),
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
        png=report("<results>/figures/fig{number}.png", category="Figures", caption="../report/figure.rst"),
    log:
        "<logs>/figures/fig{number}.log",
    benchmark:
        "<benchmarks>/figures/fig{number}.tsv"
    wildcard_constraints:
        number="[123]",
    localrule: True
    params:
        recipe=RECIPES["analysis"],
    script:
        "../scripts/figure.py"


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
