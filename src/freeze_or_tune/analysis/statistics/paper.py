"""What Chu et al. (2016) published, to stand beside what we measure, and their words for the levels."""

from typing import Literal

from freeze_or_tune.study.levels import DATA_BOUNDS, DISTANCE_BOUNDS, Level

Advice = Literal["Freeze", "Tune", "Try Freeze or Tune"]

NAME = "Chu et al. 2016"
LEVELS: tuple[Level, ...] = ("L", "M", "H")
DISTANCE_NAMES: dict[Level, str] = {"L": "Low", "M": "Medium", "H": "High"}
DATA_NAMES: dict[Level, str] = {"L": "Low", "M": "Medium", "H": "Large"}

DISTANCE_RANGES: dict[Level, str] = {
    "L": f"0.0–{DISTANCE_BOUNDS[0]}",
    "M": f"{DISTANCE_BOUNDS[0]}–{DISTANCE_BOUNDS[1]}",
    "H": f"{DISTANCE_BOUNDS[1]}–1.0",
}
DATA_RANGES: dict[Level, str] = {
    "L": f"1–{DATA_BOUNDS[0] - 1}",
    "M": f"{DATA_BOUNDS[0]}–{DATA_BOUNDS[1] - 1}",
    "H": f"≥ {DATA_BOUNDS[1]}",
}

DISTANCES = (
    ("Yosinski", 0.003, 2.3, 0.573, 0.510),
    ("Caltech-256", 0.071, 10.6, 0.714, 0.690),
    ("SUN397", 0.194, 17.8, 0.815, 0.764),
    ("MIT-Indoor", 0.307, 23.9, 0.900, 0.845),
    ("CUB-200", 0.358, 37.2, 0.929, 0.865),
    ("Coral", 0.455, 38.7, 0.973, 0.994),
    ("Plankton", 0.534, 39.1, 0.972, 0.997),
)
"""Table 2: target, cosine distance, MMD, accuracy of the linear SVM, accuracy of the CNN."""

ADVICE: dict[tuple[Level, Level], Advice] = {
    ("L", "L"): "Freeze",
    ("L", "M"): "Try Freeze or Tune",
    ("L", "H"): "Tune",
    ("M", "L"): "Try Freeze or Tune",
    ("M", "M"): "Tune",
    ("M", "H"): "Tune",
    ("H", "L"): "Try Freeze or Tune",
    ("H", "M"): "Tune",
    ("H", "H"): "Tune",
}
"""Table 3: (distance level, data level) to the recommendation."""
