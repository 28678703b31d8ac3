"""How every command that a page prints is proved: run here, run by another test, or not run, with the reason."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Run:
    """Run here, in a copy of a fixture's folder, with something added where the real thing would be too large.

    What it makes is deleted before, and there again afterwards; what it says is among what it prints.
    """

    where: Literal["cloned", "small", "finished", "advised"]
    plus: str = ""
    makes: tuple[str, ...] = ()
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Elsewhere:
    """What another test runs, by its file and name."""

    test: str


@dataclass(frozen=True)
class NotRun:
    """Why not."""

    why: str


PLAN = "--dry-run"
ADVICE = tuple(f"results/advice/birds.{suffix}" for suffix in ("md", "json", "png"))
MODEL = tuple(
    f"results/advice/birds/{name}" for name in ("model.safetensors", "model.md", "model.json", "confusion.png")
)
EXPERIMENT = "results/experiments/digits/n10/T1-7_R8.json"
PAPERS = ("experiment 178", "download 22", "hub 1", "pretrain 1")
SUBMITTED = Elsewhere(
    "tests/slurm/test_slurm.py::"
    "test_the_whole_study_has_the_numbers_of_a_local_run_and_never_more_experiments_than_gpus"
)
INTERRUPTED = Elsewhere("tests/slurm/test_slurm.py::test_an_interrupted_experiment_goes_on_where_it_was")
DEPLOYED = Elsewhere("tests/workflow/test_module.py::test_snakedeploys_copy_runs")
MOVED = Elsewhere("tests/workflow/test_tiny_study.py::test_results_go_on_in_a_fresh_clone")
INSTALLED = Elsewhere("tests/test_installed.py::test_from_a_folder_to_a_prediction")
BEGUN = Elsewhere("tests/running/test_workflow.py::test_a_study_that_is_begun_can_be_run")
CONTAINER = Elsewhere("tests/tools/test_packaged.py::test_the_container_is_built_of_files_of_the_project_and_a_lock")
CONSTRAINED = Elsewhere("tests/tools/test_set_up.py::test_the_lock_for_the_cpu_is_the_other_one_without_cuda")
BY_HAND = "installs all packages anew; done once by hand,"
SUITE = NotRun("they are tests of this suite")
HUB = Elsewhere("tests/workflow/test_packed.py::test_advice_on_a_dataset_of_the_hub_by_its_name")
CHECKERS = Elsewhere("tests/test_quality.py::test_the_checker_has_nothing_to_say")

COMMANDS: dict[str, Run | Elsewhere | NotRun] = {
    # Setting up.
    "make .venv/installed": Run("cloned", PLAN, says=("python3 tools/set_up.py",)),
    "make .venv/installed GPU=1": Run("cloned", PLAN, says=("tools/set_up.py gpu",)),
    "make demo CPU=1": Run("cloned", PLAN, says=("tools/set_up.py cpu", "snakemake")),
    "make test PYTHON=python3.13": Run("cloned", PLAN, says=("python3.13 tools/set_up.py", "pytest")),
    "python tools/resolve.py": Elsewhere("tests/tools/test_resolve.py::test_what_has_no_file_is_named_and_left_out"),
    "pip install --constraint ../requirements-cpu.lock freeze_or_tune-0.1.0-py3-none-any.whl": CONSTRAINED,
    "podman build --tag freeze-or-tune .": CONTAINER,
    "podman build --tag freeze-or-tune --build-arg LOCK=requirements.lock .": CONTAINER,
    "podman run --rm --userns keep-id --volume .:/work freeze-or-tune advise photos": CONTAINER,
    "conda env create --file environment.yml": Elsewhere(
        "tests/tools/test_packaged.py::test_conda_brings_a_python_that_the_project_takes_and_pip_the_lock"
    ),
    ". .venv/bin/activate": Run("small", "&& type deactivate", says=("deactivate is a function",)),
    "python3 -m venv .venv": NotRun("the Makefile does it"),
    "pip install --editable '.[dev]' --constraint constraints-volta.txt": Elsewhere(
        "tests/test_quality.py::test_the_torch_for_old_cards_is_one_that_the_project_works_with"
    ),
    "make demo": Run("cloned", PLAN, says=("tools/set_up.py", "snakemake")),
    "make test": Run("cloned", PLAN, says=("tools/set_up.py", "pytest")),
    "make schema": Run("cloned", PLAN, says=("freeze-or-tune schema > workflow/schemas/study.schema.json",)),
    "make commands": Run("cloned", PLAN, says=("utils docs --name freeze-or-tune",)),
    "make lock": Run("cloned", PLAN, says=("uv pip compile pyproject.toml", "-o requirements.lock")),
    # The study.
    "snakemake": Run("finished", makes=("results/figures/fig1.pdf",)),
    "snakemake -n": Run("cloned", says=("experiment 84", "reason: Missing output files:")),
    "snakemake results/one-rate/tables/table3.md": Run("finished", makes=("results/one-rate/tables/table3.md",)),
    "freeze-or-tune status": Run("finished", says=("done",)),
    "snakemake results/figures/fig2.pdf": Run("finished", makes=("results/figures/fig2.pdf",)),
    f"snakemake {EXPERIMENT}": Run("finished", makes=(EXPERIMENT,)),
    f"snakemake -f {EXPERIMENT}": Elsewhere(
        "tests/workflow/test_tiny_study.py::test_one_experiment_is_rerun_by_its_path_with_the_same_numbers"
    ),
    "snakemake --forcerun experiment": Run("finished", PLAN, says=("experiment 6", "page 1")),
    "snakemake --report report.html": Run("finished", makes=("report.html",)),
    "snakemake results/report/index.html": Run("finished", makes=("results/report/index.html",)),
    "snakemake --configfile my-study.yaml": Elsewhere("tests/docs/test_studies.py::test_a_network_by_name"),
    "snakemake results/experiments/orchids/n25/T1-7_R8.json results/distances/orchids/cosine.json": Run(
        "finished", makes=("results/experiments/orchids/n25/T1-7_R8.json", "results/distances/orchids/cosine.json")
    ),
    "snakemake results/experiments.csv --batch collect=1/50": Run(
        "cloned", PLAN, says=("cnn_distance 1", "mean_distance 2")
    ),
    "snakemake resources/downloads/cub200/CUB_200_2011.tgz": Run("cloned", PLAN, says=("download 1", "total 1")),
    "snakemake resources/downloads/resnet50.a1_in1k/model.safetensors": Run(
        "cloned", PLAN, says=("download 1", "total 1")
    ),
    "python -m freeze_or_tune.networks.registry": Elsewhere(
        "tests/networks/test_registry.py::test_each_row_is_timms_own"
    ),
    "sha256sum --check": Run("finished", "--help", says=("--check",)),
    "snakemake --lint": Elsewhere("tests/test_quality.py::test_snakemakes_linter_finds_only_what_we_chose"),
    # As a module, and results from elsewhere.
    "snakedeploy deploy-workflow https://github.com/OWNER/freeze-or-tune my-study --tag v0.1.0": DEPLOYED,
    "cd my-study": DEPLOYED,
    "snakemake --replace-workflow-config --configfile config/paper.yaml": DEPLOYED,
    **dict.fromkeys(("touch -t 200001010000 workflow/scripts/*.py", "cp -a"), MOVED),
    "cp -r": NotRun("what the page warns of"),
    # Without training.
    "freeze-or-tune plot experiments.csv folder": Run(
        "finished", makes=("folder/figures/fig2.pdf", "folder/tables/table3.md")
    ),
    "freeze-or-tune judge results/experiments.csv": Run(
        "finished", says=("| the advice, without a race", "| always tune", "There are no forecasts:")
    ),
    "freeze-or-tune judge": Run("cloned", says=("| the advice, without a race", "The forecast's 95 %")),
    "snakemake --configfile config/depth.yaml": Run("cloned", PLAN, says=("experiment 94", "figure 6")),
    "snakemake --configfile config/evidence.yaml": Run("cloned", PLAN, says=("experiment 102", "probe 51")),
    "freeze-or-tune mean-features imagenet path/to/ImageNet resnet50.json --configfile my-study.yaml": Elsewhere(
        "tests/stages/test_publishing.py::test_the_mean_is_that_of_the_networks_features"
    ),
    "python -m benchmarks.ranking": Run("cloned", "--help", says=("LogME", "H-score")),
    "freeze-or-tune status --configfile FILE": Run("finished", says=("digits", "orchids", "done")),
    "freeze-or-tune status --configfile config/paper.yaml": Run("cloned", says=("178",)),
    "freeze-or-tune resources --configfile config/paper.yaml": Elsewhere(
        "tests/planning/test_estimates.py::test_the_docs_show_the_papers_table"
    ),
    "freeze-or-tune resources --study paper --study paper-fair": Run("cloned", says=("46.0", "128.9")),
    # From the Hub.
    "freeze-or-tune advise hf://owner/name": HUB,
    "snakemake --config images=hf://owner/name -- results/advice/birds.md": HUB,
    # The package by itself.
    "python -m hatchling build --target wheel": INSTALLED,
    "cd dist": INSTALLED,
    "pip install freeze_or_tune-0.1.0-py3-none-any.whl": INSTALLED,
    "uv tool install freeze_or_tune-0.1.0-py3-none-any.whl": NotRun(f"{BY_HAND} in 76 s, 6.0 GB with CUDA"),
    "pipx run --spec freeze_or_tune-0.1.0-py3-none-any.whl freeze-or-tune advise photos": NotRun(BY_HAND),
    "freeze-or-tune advise photos": INSTALLED,
    'pip install "freeze-or-tune[heif]"': Elsewhere(
        "tests/data/layouts/test_pictures.py::test_heic_is_read_where_the_plugin_is"
    ),
    "freeze-or-tune init my-study": BEGUN,
    "freeze-or-tune run --study imagenet-lite": Run("cloned", PLAN, says=("experiments 24",)),
    "freeze-or-tune --install-completion": NotRun("writes to the shell's own files"),
    # One's own images.
    "freeze-or-tune advise photos --name birds": Run("advised", makes=ADVICE),
    "freeze-or-tune model photos --name birds": Run("advised", makes=MODEL),
    "freeze-or-tune advise photos --follow-links": Elsewhere(
        "tests/commands/test_advise.py::test_how_images_are_read_reaches_the_workflow"
    ),
    "snakemake --config images='{path: photos, follow_links: true}' -- results/advice/birds.md": Run(
        "finished", PLAN, says=("own_probe 1", "race 1", "advice 1")
    ),
    "freeze-or-tune advise photos --range 0,4095 --orientation stored": Elsewhere(
        "tests/commands/test_advise.py::test_how_images_are_read_reaches_the_workflow"
    ),
    "snakemake --config images='{path: photos, range: [0, 4095]}' -- results/advice/birds.md": Run(
        "finished", PLAN, says=("own_probe 1", "race 1", "advice 1")
    ),
    "freeze-or-tune advise path/to/photos --name birds": Elsewhere(
        "tests/test_installed.py::test_from_a_folder_to_a_prediction"
    ),
    "freeze-or-tune model path/to/photos --name birds": Elsewhere(
        "tests/test_installed.py::test_from_a_folder_to_a_prediction"
    ),
    "freeze-or-tune": NotRun("the name of a program"),
    "snakemake --config images=photos -- results/advice/birds.md": Run("advised", makes=ADVICE),
    "snakemake --config images=photos -- results/advice/birds/model.safetensors": Run("advised", makes=MODEL),
    "snakemake --config images=photos network=resnet50.a1_in1k -- results/advice/birds.md": Run(
        "finished", PLAN, says=("download 1", "import_network 1", "own_probe 1", "advice 1")
    ),
    "snakemake --config images=path/to/photos -- results/advice/birds.md": Run(
        "finished", PLAN, says=("own_probe 1", "race 1", "advice 1")
    ),
    "snakemake --config images=path/to/photos -- results/advice/birds/model.safetensors": Run(
        "finished", PLAN, says=("own_probe 1", "race 1", "advice 1", "model 1")
    ),
    "freeze-or-tune predict results/advice/birds/model.safetensors new.jpg": Run("advised", says=("new.jpg:",)),
    "freeze-or-tune predict results/advice/birds/model.safetensors new/*.jpg": Elsewhere(
        "tests/docs/test_results.py::test_an_answer_looks_as_its_page_shows_it"
    ),
    # The paper's study, and clusters.
    "snakemake -n --configfile config/paper.yaml": Run("cloned", says=PAPERS),
    "snakemake --configfile config/paper.yaml --resources gpu=1": Run("cloned", PLAN, says=PAPERS),
    "snakemake --profile profiles/slurm --dry-run": Run("cloned", says=PAPERS),
    "snakemake --profile profiles/slurm": SUBMITTED,
    "snakemake --profile profiles/slurm --configfile config/paper.yaml config/paper-fair.yaml": Run(
        "cloned", PLAN, says=PAPERS
    ),
    "snakemake --profile profiles/slurm --until download hub": Run(
        "cloned", PLAN, says=("download 22", "hub 1", "total 23")
    ),
    "snakemake --profile profiles/slurm --configfile config/config.yaml -- results/figures/fig2.pdf": Run(
        "cloned", PLAN, says=("experiment 84", "figure 1")
    ),
    "snakemake --profile profiles/slurm results/experiments/caltech256/n1/F1-7_R8.json "
    "results/distances/caltech256/cosine.json": Run("cloned", PLAN, says=("experiment 1", "mean_distance 1")),
    "freeze-or-tune downloads": Elsewhere("tests/commands/test_downloads.py::test_an_alternative_is_enough"),
    "freeze-or-tune downloads --configfile config/paper.yaml": Elsewhere(
        "tests/commands/test_downloads.py::test_what_cannot_be_had_ends_with_1_and_how_to_place_it"
    ),
    "freeze-or-tune doctor": Run("small", says=("same bits", "ready")),
    "freeze-or-tune doctor --profile profiles/slurm": Elsewhere(
        "tests/slurm/test_slurm.py::test_the_doctor_examines_a_node"
    ),
    "$EDITOR profiles/slurm/config.yaml": Run("cloned", says=("slurm_account:", "slurm_partition:")),
    "pytest tests/slurm": SUITE,
    "scancel": INTERRUPTED,
    "scontrol requeue": INTERRUPTED,
    "squeue --me": NotRun("SLURM's own command, shows the jobs of whoever asks"),
    "pip install snakemake-storage-plugin-fs": NotRun("belongs to what the page says was not tried"),
    # Benchmarks.
    "make bench": Run("cloned", PLAN, says=("tools/set_up.py", "python -m benchmarks.compare")),
    "python -m benchmarks.searching": Run("small", "--target digits", says=("| F1-7_R8 | 12 |", "| T1-7_R8 | 5 |")),
    "python -m benchmarks.accuracy --configfile config/config.yaml --frozen": Run(
        "finished", says=("| mean |", "| all |")
    ),
    "python -m benchmarks.neighbour": Run("cloned", "--help", says=("seconds of this process alone",)),
    "python -m benchmarks.roofline": Run("cloned", says=("| H100 |", "| T4 |")),
    "python -m benchmarks.models": Run("cloned", "--help", says=("are laid into a folder",)),
    "python -m benchmarks.folds": Run("finished", says=("| mean |",)),
    "python -m benchmarks.views": Run("small", "--seeds 1 --epochs 9", says=("| 1 view |", "| 9 views: exact |")),
    "python -m benchmarks.reading": Run("small", "--images 40 --steps 6 --turns 1", says=("| 230 MB/s | sleeps |",)),
    "python -m benchmarks.reading_images": Run("cloned", "--images 60 --turns 1", says=("| 60 |",)),
    "python -m benchmarks.near_copies": Run("cloned", "--help", says=("Which near copies are found", "--images")),
    "python -m benchmarks.options": Run("small", says=("| small | fp32 |", "| caffenet | bf16, channels_last |")),
    "python benchmarks/planning.py": Run("cloned", "18", says=("experiments seconds peak MB", "18")),
    # Contributing.
    "pytest": SUITE,
    "pytest tests/study": SUITE,
    "pytest tests/test_quality.py tests/test_walls.py": SUITE,
    "bash .ci/run": NotRun("installs packages on the whole machine, and runs all tests: what CI does"),
    "ruff check": CHECKERS,
    "ruff check --fix": Run("cloned", says=("All checks passed!",)),
    "ruff format": Run("cloned", says=("files left unchanged",)),
    "ruff format --check": CHECKERS,
    "snakefmt Snakefile workflow": Run("cloned", says=("All done",)),
    "snakefmt --check": CHECKERS,
    "lint-imports": Elsewhere("tests/test_walls.py::test_every_import_runs_downwards"),
    "mypy": CHECKERS,
    "pre-commit install": NotRun("not one of the packages in the lock"),
    # Names.
    **dict.fromkeys(("pip", "pre-commit", "ruff", "snakedeploy", "snakefmt"), NotRun("the name of a package")),
    "freeze-or-tune ...": NotRun("stands for all of its commands"),
}


def runs_in(folder: str) -> list[str]:
    """The commands that are run in copies of a fixture's folder."""
    return [command for command, how in COMMANDS.items() if isinstance(how, Run) and how.where == folder]
