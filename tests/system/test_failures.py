import logging
from pathlib import Path

import pytest

from freeze_or_tune.system.failures import MOST, Failure, _Watch, failures, in_words

TIME = "2026-11-27 13:54:36,226"


def logged(path: Path, text: str) -> Path:
    path.write_text(f"{TIME} {text}\n")
    return path


def test_each_failed_job_is_a_sentence_and_its_log(tmp_path: Path) -> None:
    bad, good = logged(tmp_path / "bad", "ERROR no images"), logged(tmp_path / "good", "INFO peak memory 3 MB")
    killed = logged(tmp_path / "killed", "INFO iteration 3")
    jobs = [("index", bad), ("store", good), ("train", killed), ("index", bad), ("all", None)]
    assert failures(jobs) == [
        Failure("no images", bad),
        Failure("the job train has failed", killed),
        Failure("the job all has failed", None),
    ]


def test_logs_are_named_from_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Failure("no images", tmp_path / "here/a.log"), Failure("killed", None)]
    monkeypatch.chdir(tmp_path)
    assert in_words(found) == "no images\n  log: here/a.log\nkilled"
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    assert in_words(found[:1]) == f"no images\n  log: {tmp_path}/here/a.log"


def test_many_are_counted() -> None:
    found = [Failure(f"{number}", None) for number in range(MOST + 2)]
    assert in_words(found).splitlines() == ["0", "1", "2", "3", "4", "and 2 more jobs have failed"]
    assert in_words([]) == ""


def test_a_job_that_begins_again_has_not_failed_and_one_of_a_group_only_with_a_reason(tmp_path: Path) -> None:
    watch, bad = _Watch(), logged(tmp_path / "bad", "ERROR no images")

    def hear(event: str, job: int, log: Path, **more: object) -> None:
        told = {"event": event, "jobid": job, "rule_name": "index", "log": [str(log)], **more}
        watch.handle(logging.makeLogRecord(told))

    hear("job_error", 1, tmp_path / "none")
    hear("job_error", 2, bad)
    hear("job_info", 1, tmp_path / "none")
    hear("job_error", 3, bad, indent=True)
    hear("job_error", 4, tmp_path / "none", indent=True)
    watch.handle(logging.makeLogRecord({"msg": "something else"}))
    assert watch.jobs == {2: ("index", bad), 3: ("index", bad)}
