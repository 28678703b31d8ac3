# What `snakemake` finds in a clone. As a module, or installed, the workflow is workflow/Snakefile.
include: "workflow/Snakefile"
