"""Freeze or tune, for one's own images: what was measured on them, and else what experiments on others say."""

from collections.abc import Mapping, Sequence

from freeze_or_tune.analysis.advice.forecast import Given, NoForecast, Regression
from freeze_or_tune.analysis.advice.weighing import decided, weigh
from freeze_or_tune.analysis.statistics.intervals import Evidence
from freeze_or_tune.records.advice import Advice, Check, Counsel, Forecast
from freeze_or_tune.records.distances import Distance
from freeze_or_tune.records.probes import Profile, most_telling
from freeze_or_tune.records.race import Race
from freeze_or_tune.study.levels import data_level, distance_level
from freeze_or_tune.study.schemes import Scheme, all_but_last


def counsel(
    check: Check, profiles: Sequence[Profile], distances: Sequence[Distance], race: Race | None, known: Evidence,
    blocks: Mapping[str, int], files: tuple[str, ...] = (),
) -> Advice:  # fmt: skip
    """The winner of the race, for the source whose features tell the images apart best.

    Without a race: what experiments on other images, in `files`, and the paper lead to.
    """
    profile = most_telling(profiles)
    cosines = {distance.source: distance.value for distance in distances}
    n, cosine = check.typical, cosines.get(profile.source)
    near, much = None if cosine is None else distance_level(cosine), data_level(n)
    theirs, ours = weigh(known, near, much)
    forecast, problem = _foresee(known, Given.of(n, profile))
    chosen = decided(theirs, ours, forecast)
    tuned, frozen = map(str, all_but_last(blocks[profile.source]))
    schemes: dict[Counsel, tuple[str, ...]] = {"Tune": (tuned,), "Freeze": (frozen,), "Try both": (tuned, frozen)}
    if race is not None and race.winner is not None:
        won = Scheme.parse(race.winner)
        chosen = "Freeze some" if won.between else "Freeze" if won.frozen else "Tune"
        schemes[chosen] = (race.winner,)
    return Advice(
        dataset=check.dataset, source=profile.source,
        profiles=tuple(sorted(profiles, key=lambda other: -other.last.logistic)), distances=cosines,
        estimated=tuple(distance.source for distance in distances if distance.estimated), distance_level=near,
        images_a_class=n, data_level=much, race=race, advice=chosen, schemes=schemes[chosen],
        paper=theirs, experiments=ours, forecast=forecast, no_forecast=problem,
        warnings=(*_untold(profile), *_others(profiles, profile)), evidence=files, check=check,
    )  # fmt: skip


def _foresee(known: Evidence, given: Given) -> tuple[Forecast | None, str]:
    try:
        return Regression.fit(known.tune_over_freeze()).forecast(given), ""
    except NoForecast as problem:
        return None, str(problem)


def _untold(profile: Profile) -> list[str]:
    """Features that say little of these images, or less than those of a lower block."""
    last, best, chance = profile.last, profile.best, 1 / profile.classes
    if best.low <= chance:
        return [
            f"What {profile.source} makes of these images hardly tells them apart ({100 * best.logistic:.0f} % at "
            f"best, {100 * chance:.0f} % by chance): take another source, or look at the labels."
        ]
    if best.low > last.high:
        return [
            f"Block {best.block} of {profile.source} tells these images apart better than its features do "
            f"({100 * best.logistic:.0f} % against {100 * last.logistic:.0f} %): what lies above was made for other "
            "images, and frozen layers cannot change it."
        ]
    return []


def _others(profiles: Sequence[Profile], chosen: Profile) -> list[str]:
    """Sources that may be as good, for all that the probe can say."""
    close = [other.source for other in profiles if other is not chosen and other.last.high > chosen.last.low]
    if not close:
        return []
    return [f"The probe can hardly tell {chosen.source} from {', '.join(close)}: they may be as good a start."]
