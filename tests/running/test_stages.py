import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.running.stages import OTHERS, STAGES, Stages, stage_of

from ..docs.pages import ROOT

RULES = [rule for rules in STAGES.values() for rule in rules]


def test_stages_are_made_of_rules_that_there_are() -> None:
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert [rule for rule in RULES if f"rule {rule}:" not in text] == []
    assert len(RULES) == len(set(RULES))
    assert stage_of("own_store") == stage_of("store") == "reading the images"
    assert stage_of("page") == OTHERS


def test_a_stage_is_done_with_the_last_of_its_jobs() -> None:
    stages = Stages({"store": 1, "own_store": 1, "race": 1})
    stages.begin(1, "store", 0.0)
    stages.begin(2, "own_store", 1.0)
    assert stages.end(1, 3.0) is None
    done = stages.end(2, 5.0)
    assert done is not None
    assert (done.name, done.jobs, done.seconds) == ("reading the images", 2, [3.0, 4.0])
    assert stages.current is None


def test_time_left_is_that_of_the_jobs_so_far() -> None:
    stages = Stages({"experiment": 10, "figure": 3})
    stages.begin(1, "experiment", 0.0)
    assert stages.left(5.0) is None  # nothing has told yet how long one takes
    stages.end(1, 20.0)
    stages.begin(2, "experiment", 20.0)
    assert stages.left(25.0) == 8 * 20 + 15
    stages.begin(3, "experiment", 20.0)
    assert stages.left(25.0) == pytest.approx((7 * 20 + 2 * 15) / 2)  # two at once


def test_time_left_is_what_was_expected_until_there_is_better() -> None:
    stages = Stages({"race": 1, "advice": 1}, {"racing tuned and frozen": 180.0})
    stages.begin(1, "race", 10.0)
    assert stages.left(40.0) == 150
    assert stages.left(400.0) == 0  # longer than expected: not less than nothing


def test_a_failed_job_runs_no_more_and_may_be_tried_again() -> None:
    stages = Stages({"race": 1})
    stages.begin(1, "race", 0.0)
    stages.failed(1, 0.5)
    assert stages.current is None
    stages.failed(9, 0.5)  # a job that was never started: nothing to do
    stages.begin(1, "race", 1.0)
    assert stages.end(1, 3.0) is stages.all["racing tuned and frozen"]
    assert stages.all["racing tuned and frozen"].seconds == [2.0]


def test_a_stage_is_as_long_as_some_job_of_it_runs() -> None:
    stages = Stages({"import_network": 1, "estimate_mean": 1})
    stages.begin(1, "import_network", 0.0)
    stages.end(1, 10.0)
    stages.begin(2, "estimate_mean", 100.0)
    stages.end(2, 105.0)
    assert stages.all["taking in the network"].at_work(200.0) == 15


def test_the_current_stage_is_the_one_with_most_to_come() -> None:
    stages = Stages({"experiment": 5, "svm_distance": 2})
    stages.begin(1, "svm_distance", 0.0)
    stages.begin(2, "experiment", 0.0)
    assert stages.current is stages.all["experiments"]


@given(st.lists(st.sampled_from([*RULES, "page", "table"]), min_size=1, max_size=30), st.randoms())
def test_whatever_the_order_each_stage_ends_once(rules: list[str], random) -> None:
    stages = Stages({rule: rules.count(rule) for rule in rules})
    jobs = list(enumerate(rules))
    random.shuffle(jobs)
    for job, rule in jobs:
        stages.begin(job, rule, 0.0)
    random.shuffle(jobs)
    ended = [stage.name for job, _ in jobs if (stage := stages.end(job, 1.0))]
    assert sorted(ended) == sorted({stage_of(rule) for rule in rules})
    assert all(stage.done for stage in stages.all.values())
