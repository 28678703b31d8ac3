from pathlib import Path

from freeze_or_tune import Advice
from freeze_or_tune.analysis.advice.counsel import counsel
from freeze_or_tune.analysis.advice.evidence import read_evidence

from .own import check, profile, race, raced


def test_the_advice_is_read_and_says_what_to_do_and_why(tmp_path: Path) -> None:
    won, lost = raced("T1-7_R8", 0.9, 80, 60), raced("F1-7_R8", 0.6, 80, 6, 0.3, 0.2, 0.4)
    told = counsel(
        check(20), [profile("lite", 0.8, 0.5)], [], race(won, lost, verdict="better"), read_evidence(()), {"lite": 8}
    )  # fmt: skip
    told.write(tmp_path / "birds.json")
    advice = Advice.read(tmp_path / "birds.json")
    assert (advice.source, advice.schemes, advice.verdict) == ("lite", ("T1-7_R8",), "Fine-tune")
    lines = str(advice).splitlines()
    assert lines[0] == f"Fine-tune. {advice.reason}"
    assert "90 %" in advice.reason
    assert lines[1] == "Start from lite, with T1-7_R8."
    assert lines[2:] == [*advice.warnings, r"Noticed: Links; they are left out: 2, such as 'a', 'b\n'"]
    assert len(lines) > 3
