from pathlib import Path

import pytest

from freeze_or_tune.records.distances import Distance
from freeze_or_tune.system.errors import UserError


@pytest.fixture
def distance() -> Distance:
    return Distance(
        metric="svm", source="latin-a", target="digits", value=0.93, standard_error=0.01,
        source_images=500, target_images=500,
    )  # fmt: skip


def test_a_record_reads_as_it_was_written(distance: Distance, tmp_path: Path) -> None:
    distance.write(tmp_path / "svm.json")
    assert Distance.read(tmp_path / "svm.json") == distance


def test_every_truncation_is_an_error_that_names_the_file(distance: Distance, tmp_path: Path) -> None:
    path = tmp_path / "svm.json"
    distance.write(path)
    whole = path.read_bytes()
    for length in range(len(whole.rstrip())):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"svm\.json is not a complete distance.*delete it"):
            Distance.read(path)


@pytest.mark.parametrize(("old", "new"), [("0.93", '"high"'), ('"svm"', '"euclid"'), ('"value"', '"valu"')])
def test_a_wrong_field_is_named(distance: Distance, tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "svm.json"
    distance.write(path)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=r"\((value|metric|valu): "):
        Distance.read(path)
