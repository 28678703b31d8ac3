# The paper's tables and figures, each from one experiments.csv alone, and the learning curves of the report.
# Of a study with a search there are two: <results>/ has each scheme at its best, <results>/one-rate/ all at one rate.

PROTOCOL = "|one-rate/" if study.solver.search else "()"


rule table:
    input:
        "<results>/{protocol}experiments.csv",
    output:
        csv="<results>/{protocol}tables/table{number}.csv",
        markdown=report(
            "<results>/{protocol}tables/table{number}.md",
            category="Tables",
            labels=labels_of_table,
            caption="../report/table.rst",
        ),
        latex="<results>/{protocol}tables/table{number}.tex",
        provenance="<results>/{protocol}tables/table{number}.json",
    log:
        "<logs>/{protocol}tables/table{number}.log",
    benchmark:
        "<benchmarks>/{protocol}tables/table{number}.tsv"
    wildcard_constraints:
        number=one_of(CONTENTS),
        protocol=PROTOCOL,
    localrule: True
    params:
        recipe=RECIPES["analysis"],
    script:
        "../scripts/table.py"


rule figure:
    input:
        "<results>/{protocol}experiments.csv",
    output:
        pdf="<results>/{protocol}figures/fig{number}.pdf",
        png=report(
            "<results>/{protocol}figures/fig{number}.png",
            category="Figures",
            labels=labels_of_figure,
            caption="../report/figure.rst",
        ),
        data="<results>/{protocol}figures/fig{number}.csv",
        provenance="<results>/{protocol}figures/fig{number}.json",
    log:
        "<logs>/{protocol}figures/fig{number}.log",
    benchmark:
        "<benchmarks>/{protocol}figures/fig{number}.tsv"
    wildcard_constraints:
        number=one_of(QUESTIONS),
        protocol=PROTOCOL,
    localrule: True
    params:
        recipe=RECIPES["analysis"],
    script:
        "../scripts/figure.py"


rule rates:
    input:
        "<results>/candidates.csv",
    output:
        pdf="<results>/figures/fig5.pdf",
        png=report(
            "<results>/figures/fig5.png",
            category="Figures",
            labels=labels_of_rates,
            caption="../report/rates.rst",
        ),
        data="<results>/figures/fig5.csv",
        provenance="<results>/figures/fig5.json",
    log:
        "<logs>/figures/fig5.log",
    benchmark:
        "<benchmarks>/figures/fig5.tsv"
    localrule: True
    params:
        recipe=RECIPES["analysis"],
    script:
        "../scripts/rates.py"


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
        one_rate="<results>/one-rate/experiments.csv" if study.solver.search else [],
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
