"""A version for each stage, raised when its numbers change for the same settings.

Snakemake reruns a rule when its params change, but does not see the library behind a script; a raised version is what
makes it compute the stage, and what follows from it, anew.
"""

RECIPES = {
    "builtin": 1,
    "index": 2,
    "store": 1,
    "samples": 1,
    "split": 1,
    "training": 5,
    "import": 1,
    "features": 1,
    "distance": 3,
    "probe": 3,
    "analysis": 6,
    "advice": 4,
}
