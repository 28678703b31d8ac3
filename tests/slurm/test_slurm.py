"""The study on a real SLURM, and all that goes wrong on one: nothing is lost, and the numbers stay the same."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
import yaml
from snakemake.cli import parse_args

from freeze_or_tune.records.checkup import Checkup

from ..workflow.conftest import STUDY, draw_stripes
from .cluster import Cluster, environment_of, wait_until, why_not
from .submission import EXPERIMENT, ROOT, Submission, Training, log_of_experiment, runs

Submit = Callable[..., Submission]
Runs = list[dict[str, object]]
OTHER = EXPERIMENT.replace("T1", "F1")
BUSY = "R,CG"


def seconds(cluster: Cluster, job: str, moment: str) -> float:
    return datetime.fromisoformat(cluster.show(job)[moment]).timestamp()


def back_from_the_queue(cluster: Cluster, job: str) -> None:
    """SLURM lets a requeued job wait two minutes; an administrator may say that it has waited enough."""
    wait_until(lambda: cluster.jobs("PD").get(job), f"job {job} is requeued")

    def runs_again() -> bool:
        cluster.call("scontrol", "update", f"JobId={job}", "StartTime=now")
        return job in cluster.jobs("R")

    wait_until(runs_again, f"job {job} runs again")


def in_place_of_squeue(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let snakemake ask a script, which calls the real one."""
    squeue = folder / "squeue"
    squeue.write_text("#!/bin/sh\n" + script.format(squeue=shutil.which("squeue")) + "\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def saved_at_the_signal(training: Training) -> None:
    """By the job's own log: snakemake may look at it before the job has said so. The next attempt begins it anew."""
    words = "SIGTERM: saved at iteration"
    wait_until(lambda: words in log_of_experiment(training.study), "the state is saved at the signal", 180)


# What is interrupted while the experiment is held between two steps.


def cancel(cluster: Cluster, training: Training) -> None:
    cluster.call("scancel", training.job)
    saved_at_the_signal(training)


def requeue(cluster: Cluster, training: Training) -> None:
    cluster.call("scontrol", "requeue", training.job)
    back_from_the_queue(cluster, training.job)


def preempt(cluster: Cluster, training: Training) -> None:
    urgent = cluster.call("sbatch", "--parsable", "-p", "urgent", "--gpus=2", "--output=/dev/null", "--wrap=sleep 1")
    wait_until(lambda: cluster.show(urgent.strip())["JobState"] == "COMPLETED", "the urgent job is done")
    back_from_the_queue(cluster, training.job)


def kill_node(cluster: Cluster, training: Training) -> None:
    cluster.kill_node("gpu1")
    # Not by sinfo, which goes on for minutes to show the node as it was with the job on it.
    wait_until(lambda: "State=DOWN" in cluster.call("scontrol", "show", "node", "gpu1"), "the node is missed", 180)
    cluster.start_node("gpu1")
    # The two minutes that a requeued job waits are not cut short: SLURM still sends the node word to end the old one,
    # which would end the new one.
    wait_until(lambda: training.job in cluster.jobs("R"), f"job {training.job} runs again", 300)


def run_out_of_time(cluster: Cluster, training: Training) -> None:
    """It has asked for a minute."""
    saved_at_the_signal(training)
    wait_until(lambda: cluster.show(training.job)["JobState"] == "TIMEOUT", "the time limit is reached", 180)


@pytest.mark.parametrize(
    ("interrupt", "attempts"),
    [(cancel, 2), (run_out_of_time, 2), (requeue, 1), (preempt, 1), (kill_node, 1)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_interrupted_experiment_goes_on_where_it_was(
    interrupt: Callable[[Cluster, Training], None], attempts: int,
    study: Path, cluster: Cluster, submit: Submit, expected: Runs,
) -> None:  # fmt: skip
    limit = ["--set-resources", "experiment:runtime=1"] if interrupt is run_out_of_time else []
    submission = submit(EXPERIMENT, *limit)
    interrupt(cluster, Training(study, submission))
    submission.succeeds()
    assert submission.submitted == {"experiment": attempts}
    assert "going on from iteration" in log_of_experiment(study)
    assert runs(study) == expected
    assert [path.name for path in (study / EXPERIMENT).parent.iterdir()] == [Path(EXPERIMENT).name]


def test_a_controller_that_is_away_for_a_while_is_waited_for(
    study: Path, cluster: Cluster, submit: Submit, expected: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = tmp_path / "unanswered"
    in_place_of_squeue(tmp_path, monkeypatch, f'timeout 2 {{squeue}} "$@" || {{{{ echo >> "{questions}"; exit 1; }}}}')
    submission = submit(EXPERIMENT)
    training = Training(study, submission)
    assert environment_of(training.number)["OMP_WAIT_POLICY"] == "passive"
    cluster.stop_controller()
    questions.write_text("")
    training.go_on()
    wait_until((study / EXPERIMENT).exists, "the experiment is done")
    # After five the plugin would by default forget the job.
    wait_until(lambda: questions.read_text().count("\n") > 6, "snakemake has asked in vain")
    assert submission.process.poll() is None
    cluster.start_controller()
    submission.succeeds()
    assert submission.submitted == {"experiment": 1}
    assert runs(study) == expected


def test_after_a_kill_of_snakemake_old_and_new_jobs_do_not_spoil_each_others_results(
    study: Path, cluster: Cluster, submit: Submit, expected: Runs
) -> None:
    first = submit(EXPERIMENT)
    training = Training(study, first)
    first.process.kill()
    first.end()
    assert submit("--unlock").end() == 0
    second = submit(EXPERIMENT, OTHER)
    wait_until(lambda: "another process works on" in log_of_experiment(study), "the new job waits for the old one")
    assert training.job in cluster.jobs("R")
    training.go_on()
    second.succeeds()
    assert "iteration" not in log_of_experiment(study)  # the new job has taken what the old one wrote
    assert runs(study) == expected
    assert (study / OTHER).exists()


@pytest.mark.parametrize("moment", ["between two looks at the queue", "during a look at the queue"])
def test_ctrl_c_leaves_no_job_and_no_lock(
    moment: str, study: Path, cluster: Cluster, submit: Submit, expected: Runs,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    looking = tmp_path / "looking"
    if moment.startswith("during"):
        in_place_of_squeue(tmp_path, monkeypatch, f'touch "{looking}"\nsleep 2\nexec {{squeue}} "$@"')
    submission = submit(EXPERIMENT)
    training = Training(study, submission)
    looking.unlink(missing_ok=True)
    if moment.startswith("during"):
        wait_until(looking.exists, "snakemake looks at the queue")
    submission.process.send_signal(signal.SIGINT)
    assert submission.end() != 0
    saved_at_the_signal(training)
    wait_until(lambda: not cluster.jobs("R,PD,CG,S"), "the job is gone")
    again = submit(EXPERIMENT)
    again.succeeds()
    assert "going on from iteration" in log_of_experiment(study)
    assert runs(study) == expected


def test_a_failing_experiment_is_tried_again_with_more_and_the_rest_goes_on(
    study: Path, cluster: Cluster, submit: Submit
) -> None:
    split = study / "results/splits/digits/n2.csv"
    whole = split.read_text()
    split.write_text(whole[: len(whole) // 2])
    failing = "results/experiments/digits/n2/T1-7_R8.json"
    before = set(cluster.jobs())
    submission = submit(failing, OTHER)
    assert submission.end() == 1
    assert submission.submitted == {"experiment": 3 + 1}
    assert (study / OTHER).exists()
    assert not (study / failing).exists()
    assert "results/splits/digits/n2.csv" in submission.output
    tries = [job for job, comment in cluster.jobs().items() if job not in before and "_2_T1" in comment]
    asked = [(cluster.show(job)["MinMemoryNode"], cluster.show(job)["TimeLimit"]) for job in sorted(tries, key=int)]
    assert len(set(asked)) == 3
    assert asked == sorted(asked)
    split.write_text(whole)
    submit(failing).succeeds()


@pytest.fixture
def small_disk(study: Path) -> Iterator[Path]:
    """The study's results on a disk of their own with little room."""
    results = study / "results"
    used = sum(path.stat().st_size for path in results.rglob("*") if path.is_file())
    aside = results.rename(study / "aside")
    results.mkdir()
    size = f"size={used // 1024 + 2048}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "freeze-or-tune-test", results], check=True)
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", results], check=True)
        yield results
    finally:
        subprocess.run(["umount", "--lazy", results], check=True)


def test_a_full_disk_is_an_error_and_no_damaged_result(
    study: Path, small_disk: Path, submit: Submit, expected: Runs
) -> None:
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(shutil.disk_usage(small_disk).free + 1))
    submission = submit(EXPERIMENT, "--retries", "0")
    assert submission.end() == 1
    assert "No space left on device" in submission.output
    assert not (study / EXPERIMENT).exists()
    filler.unlink()
    submit(EXPERIMENT).succeeds()
    assert runs(study) == expected


def test_a_job_that_was_given_a_gpu_and_finds_none_fails_with_words(study: Path, submit: Submit) -> None:
    config = yaml.safe_load((study / "study.yaml").read_text())
    config["machine"]["device"] = "auto"
    (study / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    submission = submit(EXPERIMENT, "--retries", "0")
    assert submission.end() == 1
    assert "was given a GPU (CUDA_VISIBLE_DEVICES=0), but torch finds none" in submission.output
    assert not (study / EXPERIMENT).exists()


def test_the_whole_study_has_the_numbers_of_a_local_run_and_never_more_experiments_than_gpus(
    finished: Path, tmp_path: Path, cluster: Cluster, submit: Submit
) -> None:
    folder = tmp_path / "anew"
    draw_stripes(folder / "my stripes")
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    before = set(cluster.jobs())
    submission = submit(folder=folder)
    submission.succeeds()
    # Everything but collecting, drawing splits, tables and figures has run on a node.
    assert submission.submitted == {
        "index": 2, "store": 2, "pretrain": 1, "features": 2, "experiment": 6, "svm_distance": 2,
        "cnn_distance": 2, "probe": 3,
    }  # fmt: skip
    ours, theirs = (pd.read_csv(where / "results/experiments.csv") for where in (folder, finished))
    costs = [name for name in ours if name in {"seconds", "images_per_second", "peak_memory_mb", "device", "threads"}]
    pd.testing.assert_frame_equal(ours.drop(columns=costs), theirs.drop(columns=costs))
    experiments = [job for job, rule in cluster.jobs().items() if job not in before and rule.startswith("rule_exp")]
    spans = [(seconds(cluster, job, "StartTime"), seconds(cluster, job, "EndTime")) for job in experiments]
    assert max(sum(start <= moment < end for start, end in spans) for moment, _ in spans) == 2
    assert {cluster.show(job)["NodeList"] for job in experiments} == {"gpu1"}


def test_what_is_edited_in_the_profile_reaches_slurm(study: Path, cluster: Cluster, submit: Submit) -> None:
    edits = ["slurm_partition=urgent", "gpu=0", "gres=gpu:1", "mem_mb=1234", "runtime=17"]
    submission = submit(EXPERIMENT, "--set-resources", *(f"experiment:{edit}" for edit in edits))
    training = Training(study, submission)
    job = cluster.show(training.job)
    assert environment_of(training.number)["CUDA_VISIBLE_DEVICES"] == "0"
    assert (job["Partition"], job["TresPerNode"], job["MinMemoryNode"]) == ("urgent", "gres:gpu:1", "1234M")
    assert (job["TimeLimit"], job["Requeue"]) == ("00:17:00", "1")
    assert not {"Account", "TresPerJob"} & {key for key, value in job.items() if value not in {"(null)", ""}}


def test_several_experiments_in_one_job_take_turns_on_one_gpu(study: Path, cluster: Cluster, submit: Submit) -> None:
    """With the options that docs/cluster.md gives."""
    options = re.search(r"`(--groups experiment=several [^`]+)`", (ROOT / "docs/cluster.md").read_text())
    assert options
    before = set(cluster.jobs())
    submission = submit(EXPERIMENT, OTHER, *options[1].split())
    submission.succeeds()
    (job,) = cluster.jobs().keys() - before
    asked = cluster.show(job)
    assert (asked["TresPerJob"], asked["TimeLimit"]) == ("gres:gpu:1", "00:30:00")
    first, second = sorted(_times(study / path) for path in (EXPERIMENT, OTHER))
    assert first[-1] <= second[0]


def test_the_doctor_examines_a_node(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    before = set(cluster.jobs())
    submission = Submission(tmp_path, ["--force", "--retries", "0", "results/doctor.json"])
    try:
        submission.succeeds()
    finally:
        submission.process.kill()
    (job,) = cluster.jobs().keys() - before
    assert (cluster.show(job)["TresPerJob"], cluster.show(job)["NodeList"]) == ("gres:gpu:1", "gpu1")
    found = Checkup.read(tmp_path / "results/doctor.json")
    assert found.ready, [finding.remedy for finding in found.findings if finding.remedy]


def _times(result: Path) -> list[str]:
    """When each line of an experiment's log was written."""
    log = str(result).replace("results/", "results/logs/").replace(".json", ".log")
    return re.findall(r"^[0-9-]+ [0-9:,]+", Path(log).read_text(), re.MULTILINE)


def test_the_profile_names_all_rules_that_ask_for_a_gpu() -> None:
    rules = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    asking = {rule.split(":")[0] for rule in re.split(r"^rule ", rules, flags=re.MULTILINE) if "gpu=1," in rule}
    profile = (ROOT / "profiles/slurm/config.yaml").read_text()
    example = profile[profile.index("# set-resources:") : profile.index("jobs:")]
    assert yaml.safe_load(re.sub(r"^# ", "", example, flags=re.MULTILINE))["set-resources"].keys() == asking


def test_what_the_profiles_say_is_what_snakemake_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    ours, default = (
        yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text()) for name in ("slurm", "default")
    )
    assert ours.keys() & default.keys() == set()
    _, arguments = parse_args(["--profile", "profiles/slurm"])
    used = {key: getattr(arguments, key.replace("-", "_")) for key in ours}
    defaults, rate = used["default-resources"], used["max-jobs-per-timespan"]
    used["default-resources"] = {name: defaults[name].value for name in ours["default-resources"]}
    used["max-jobs-per-timespan"] = f"{rate.max_jobs}/{rate.timespan:.0f}s"
    used["configfile"] = [str(path) for path in used["configfile"]]
    assert used == ours


def test_the_machines_own_slurm_is_not_touched(cluster: Cluster) -> None:
    assert "SLURM of its own" in str(why_not())
