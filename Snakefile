# What `snakemake` finds in a clone. As a module, or installed, the workflow is workflow/Snakefile.
include: "workflow/Snakefile"


# Of what is included Snakemake keeps the rules and forgets which is the default: `snakemake` alone would make nothing.
workflow.default_target = "all"
