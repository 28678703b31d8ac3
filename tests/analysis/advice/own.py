"""What is found in one's own images, made up."""

from statsmodels.stats.proportion import proportion_confint

from freeze_or_tune.records.advice import Check, Forecast
from freeze_or_tune.records.distances import Distance
from freeze_or_tune.records.experiment import Varied
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.records.probes import Mistake, Probe, Profile
from freeze_or_tune.records.race import Race, Raced, Verdict

FINDING = Finding(kind="links", words="Links; they are left out", count=2, examples=("'a'", "'b\\n'"))


def check(n: int) -> Check:
    return Check(
        dataset="birds", images=99, classes=4, used_images=90, used_classes=3, train=70, val=10, test=10,
        smallest=n - 1, typical=n, largest=n + 4, findings=(FINDING,),
    )  # fmt: skip


def distance(cosine: float, source: str = "latin-a") -> Distance:
    return Distance(metric="cosine", source=source, target="birds", value=cosine, source_images=9, target_images=9)


def profile(source: str, *accuracies: float, mistakes: tuple[Mistake, ...] = ()) -> Profile:
    """Of 80 images in three classes, by what each block tells."""
    blocks = []
    for number, value in enumerate(accuracies or (0.7, 0.8), start=1):
        low, high = proportion_confint(round(80 * value), 80, method="wilson")
        blocks.append(Probe(block=number, width=9, neighbours=value / 2, logistic=value, low=low, high=high))
    return Profile(
        source=source,
        images=80,
        classes=3,
        folds=5,
        blocks=tuple(blocks),
        mistakes=mistakes,
        mirrored=blocks[-1].logistic,
        images_per_second=100,
        parameters=10,
        activations=10,
    )


def raced(
    scheme: str, accuracy: float, images: int, seconds: float, behind: float = 0, low: float = 0, high: float = 0
) -> Raced:
    bounds = proportion_confint(round(accuracy * images), images, method="wilson")
    return Raced(
        scheme=scheme, rounds=2, images=images, accuracy=accuracy, low=bounds[0], high=bounds[1], seconds=seconds,
        candidates=(Varied(learning_rate=0.01, weight_decay=0.1),), behind=behind, behind_low=low, behind_high=high,
    )  # fmt: skip


def race(*schemes: Raced, verdict: Verdict | None = None, more_images: int | None = None, left_out: str = "") -> Race:
    """The first of the schemes has won."""
    return Race(
        dataset="birds", source="latin-a", budget=3, rounds=2 if schemes else 0, planned=3, seconds=170, margin=0.02,
        schemes=schemes, winner=schemes[0].scheme if schemes else None, verdict=verdict, more_images=more_images,
        left_out=left_out,
    )  # fmt: skip


def forecast(low: float, high: float) -> Forecast:
    return Forecast(
        ratio=(low + high) / 2, low=low, high=high, confidence=0.95, formula="f", pairs=9, targets=6, typical_error=1.1
    )
