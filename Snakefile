from snakemake.utils import min_version

min_version("9.14")

# Not merged with a study given by --configfile or a profile: two studies would become one.
if "targets" not in config:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/paths.smk"
include: "workflow/rules/resources.smk"


onerror:
    cancel_forgotten_jobs(log)


pathvars:
    results=study.results,
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


# Names hold no slash, numbers are numbers. That a name is one of the study's is checked by the study itself, whose
# message lists the valid ones; a constraint here could only say that no rule makes such a file.
wildcard_constraints:
    dataset="[^/]+",
    source="[^/]+",
    target="[^/]+",
    scheme="[^/]+",
    n="[0-9]+",
    size="[0-9]+",


include: "workflow/rules/datasets.smk"
include: "workflow/rules/networks.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/distances.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/advice.smk"
include: "workflow/rules/doctor.smk"


rule all:
    default_target: True
    input:
        # Named although the table is made of them: a deleted one is then made again.
        EXPERIMENTS,
        MODELS,
        DISTANCES,
        "<results>/experiments.csv",
        expand("<results>/tables/table{number}.{suffix}", number=CONTENTS, suffix=["csv", "md", "tex", "json"]),
        expand("<results>/figures/fig{number}.{suffix}", number=QUESTIONS, suffix=["pdf", "png", "csv", "json"]),
        SEARCHED.values(),
        expand("<results>/figures/fig{number}.{suffix}", number=RATES, suffix=["pdf", "png", "csv", "json"]),
        expand("<results>/one-rate/tables/table3.{suffix}", suffix=["csv", "md", "tex", "json"]) if SEARCHED else [],
        expand("<results>/one-rate/figures/fig2.{suffix}", suffix=["pdf", "png", "csv", "json"]) if SEARCHED else [],
        "<results>/figures/curves",
        "<results>/report/index.html",
    localrule: True
