from pathlib import Path

import numpy as np
import pytest

from freeze_or_tune.analysis.advice.model_card import _mistakes, _over_classes, matrix
from freeze_or_tune.analysis.show.style import write_figure
from freeze_or_tune.records.model import Model


def model(*confusion: tuple[int, ...]) -> Model:
    return Model.model_construct(labels=tuple("abc"), confusion=confusion)


def test_the_mean_over_classes_is_over_those_that_have_test_images() -> None:
    assert _over_classes(model((3, 1, 0), (0, 2, 2), (0, 0, 0))) == pytest.approx((0.75 + 0.5) / 2)
    assert _over_classes(model((3, 1, 0), (0, 2, 2), (0, 0, 5))) == pytest.approx((0.75 + 0.5 + 1) / 3)


@pytest.mark.filterwarnings("error")
def test_a_class_without_test_images_is_an_empty_row(tmp_path: Path) -> None:
    one = model((3, 1, 0), (0, 2, 2), (0, 0, 0))
    shares = matrix(one).axes[0].images[0].get_array()
    np.testing.assert_allclose(shares, [[0.75, 0.25, 0], [0, 0.5, 0.5], [0, 0, 0]])
    write_figure(lambda: matrix(one), [tmp_path / "confusion.png"])
    assert _mistakes(one) == ["b taken for c: 2 of 4", "a taken for b: 1 of 4"]
