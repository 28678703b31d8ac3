import pytest

from freeze_or_tune.study.levels import data_level, distance_level


@pytest.mark.parametrize(
    ("cosine", "level"), [(0.0, "L"), (0.1999, "L"), (0.2, "M"), (0.399, "M"), (0.4, "H"), (0.534, "H"), (1.0, "H")]
)
def test_distance_levels_are_the_papers(cosine: float, level: str) -> None:
    assert distance_level(cosine) == level


@pytest.mark.parametrize(("n", "level"), [(1, "L"), (20, "L"), (21, "M"), (99, "M"), (100, "H"), (550, "H")])
def test_data_levels_are_the_papers(n: int, level: str) -> None:
    assert data_level(n) == level
