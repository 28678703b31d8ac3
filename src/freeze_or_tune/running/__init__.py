"""The workflow run for people: Snakemake as a process of its own, told of in a few lines, ended with one sentence."""
