# The study of this run, and what rules ask of it.
import os
import re
from pathlib import Path

from freeze_or_tune.data.downloads.catalogue import find, read_downloads
from freeze_or_tune.data.downloads.choosing import chosen, row_of, told
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.system.failures import tell_last, watch_jobs
from freeze_or_tune.system.process import prepare_process, refuse
from freeze_or_tune.records.recipes import RECIPES
from freeze_or_tune.system.sources import scripts_from_local_git
from freeze_or_tune.system.slurm import cancel_forgotten_jobs, wait_for_the_controller
from freeze_or_tune.study.opening import USUAL
from freeze_or_tune.study.reading import load_study

prepare_process()


report: "../report/workflow.rst"


# The table of files of others, as scripts find it: from here in a clone, else in Snakemake's copy of what is in git.
table = workflow.source_path("../../config/downloads.csv")
beside = os.path.relpath(table.flags["sourcecache_entry"])
config = config | {"downloads": config.get("downloads") or (beside if os.path.exists(beside) else str(table))}

try:
    refuse()
    whole = load_study(config)
    downloads = read_downloads(Path(whole.downloads))
    study = chosen(whole, downloads, workflow.modifier.path_modifier.prefix or "")
except UserError as error:
    raise WorkflowError(str(error))

scripts_from_local_git()
wait_for_the_controller()
watch_jobs()
for name, meant in study.assumed.items() if workflow.is_main_process else ():
    logger.info(f"{name} stands for {meant}, timm's default")
for name, files in told(whole, study).items() if workflow.is_main_process else ():
    logger.info(f"{name} is read from {files}, an alternative (docs/downloads.md)")

# What names this study on the command line, as seen from here: nothing for the default one, which jobs are told of, too.
CONFIGFILES = [
    path
    for path in map(os.path.relpath, workflow.overwrite_configfiles)
    if path != os.path.join("config", "config.yaml")
]
EXPERIMENTS = [f"<results>/experiments/{target}/n{n}/{scheme}.json" for target, n, scheme in study.experiments()]
EXPERIMENT_FILES = {"record": "<results>/experiments/{target}/n{n}/{scheme}.json"}
MODELS = [path.replace(".json", ".safetensors") for path in EXPERIMENTS if study.keep_models]
if MODELS:
    EXPERIMENT_FILES["model"] = "<results>/experiments/{target}/n{n}/{scheme}.safetensors"
SPLITS = [f"<results>/splits/{target}/n{n}.json" for target, chosen in study.targets.items() for n in chosen.n]
DISTANCES = expand("<results>/distances/{target}/{metric}.json", target=study.targets, metric=study.distances.metrics)
SAMPLES = expand("<results>/samples/{dataset}.png", dataset=study.used_datasets())


def own_images(wildcards):
    """What --config images=<folder> holds now; None for a study's own datasets, which are indexed once."""
    if wildcards.dataset in study.datasets:
        return None
    from freeze_or_tune.data.fingerprint import fingerprint  # numpy comes with it, which other jobs do without

    return fingerprint(Path(study.images.path), follow_links=study.images.follow_links)


def one_of(names):
    """A wildcard's constraint to these names; nothing matches that of none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def settings_of_experiment(wildcards):
    return study.experiment(wildcards.target, int(wildcards.n), wildcards.scheme).model_dump(mode="json")
