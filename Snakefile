# What `snakemake` finds in a clone. As a module, or installed, the workflow is workflow/Snakefile.
include: "workflow/Snakefile"


# Snakemake does not take this from what is included; without it `snakemake` alone would make nothing, and say so happily.
workflow.default_target = "all"
