# The figures and tables there are, and what snakemake --report writes beside each result and makes switches of.
from freeze_or_tune.analysis.statistics.paper import DATA_RANGES
from freeze_or_tune.study.schemes import Scheme

# By number; what draws them: analysis/show/plot.py.
QUESTIONS = {
    "1": "Copy all blocks but the last, or fewer?",
    "2": "Fine-tune what is copied, or freeze it?",
    "3": "How accurate is each scheme?",
    "4": "Which distance predicts best?",
}
# Between all frozen and all tuned, if the study tries anything there: drawn by analysis/show/depths.py.
if any(Scheme.parse(scheme).between for _, _, scheme in study.experiments()):
    QUESTIONS["6"] = "How many of the copied blocks to freeze?"
# What the learning rate decides: from candidates.csv, which a study with a search has; drawn by analysis/show/rates.py.
RATES = {"5": "How much of it is the learning rate?"} if study.solver.search else {}
CONTENTS = {"1": "Targets and splits", "2": "Distances", "3": "Freeze or tune, by level"}
if "6" in QUESTIONS:
    CONTENTS["4"] = "How many blocks to freeze, by level"
MODES = {"T": "fine-tuned", "FT": "frozen, then fine-tuned", "F": "frozen", None: "none"}


PROTOCOLS = {"": "each at its best" if study.solver.search else "at one rate", "one-rate/": "at one rate"}


def labels_of_figure(wildcards):
    question = (QUESTIONS | RATES)[wildcards.number]
    return {"Figure": wildcards.number, "Question": question, "Solver": PROTOCOLS[wildcards.protocol]}


def labels_of_rates(wildcards):
    return {"Figure": "5", "Question": RATES["5"], "Solver": "all candidates"}


def labels_of_table(wildcards):
    content = CONTENTS[wildcards.number]
    return {"Table": wildcards.number, "Content": content, "Solver": PROTOCOLS[wildcards.protocol]}


def labels_of_curves(wildcards):
    """The report makes a switch of a label with two values, so T and F come last, and the level, which it never makes
    one of, first."""
    scheme = Scheme.parse(wildcards.scheme)
    return {
        "Images a class": f"{wildcards.level} ({DATA_RANGES[wildcards.level]})",
        "Random blocks": scheme.random_part,
        "Copied blocks": MODES[scheme.mode],
    }
