"""What the race and the probes say, in sentences that Markdown and the page share."""

from freeze_or_tune.records.advice import Advice, Counsel
from freeze_or_tune.records.race import Race, Raced
from freeze_or_tune.study.schemes import Scheme, span

_IMPERATIVES: dict[Counsel, str] = {"Tune": "Fine-tune", "Freeze": "Freeze", "Try both": "Try both"}


def doing(scheme: Scheme) -> str:
    """What a scheme does with what it copies."""
    if scheme.between:
        return f"{span(1, scheme.frozen)} frozen, {span(scheme.frozen + 1, scheme.copied)} tuned"
    return "frozen" if scheme.frozen else "tuned"


def verdict(advice: Advice) -> str:
    """What to do, in a few words."""
    race = advice.measured
    guess = race is not None and race.verdict == "open"
    if race is not None and Scheme.parse(race.first.scheme).between:
        what = f"Freeze blocks {span(1, Scheme.parse(race.first.scheme).frozen)}, fine-tune those above"
    else:
        what = _IMPERATIVES[advice.advice]
    return what + (", as far as these images can say" if guess else "")


def reason(advice: Advice) -> str:
    """Why, in a sentence or two."""
    race = advice.measured
    if race is None:
        copied = f"Copy all blocks of {advice.source} but the last"
        return {
            "Tune": f"{copied} and tune them; the last starts from random values.",
            "Freeze": f"{copied} and leave them as they are; train the last one.",
            "Try both": f"{copied}; tune them in one run, freeze them in another, and let validation decide.",
        }[advice.advice]
    first = race.first
    found = f"{_mode(first)} {_percent(first.accuracy)} ({_span(first)}) of {first.images:,} images are right"
    return f"{_capital(found)}{''.join(_against(one, race) for one in race.others)}."


def mirroring(advice: Advice) -> str:
    """Whether training mirrors images, and why."""
    profile = advice.profiles[0]
    apart = 100 * (profile.mirrored - profile.best.logistic)
    found = f"The same images mirrored are told apart {abs(apart):.0f} points {'better' if apart > 0 else 'worse'}"
    return (
        f"{found}: training may mirror images." if profile.symmetric else f"{found}: training does not mirror images."
    )


def _against(other: Raced, race: Race) -> str:
    first = race.first
    apart = f"{100 * other.behind:+.1f} points ({100 * other.behind_low:+.1f} to {100 * other.behind_high:+.1f})"
    found = f", {_mode(other)} {_percent(other.accuracy)}; the difference is {apart}: "
    if race.verdict == "better" or other.behind_low > 0:
        return found + "better"
    if race.verdict == "level":
        return found + f"level, and {_mode(first)} trains in {duration(first.seconds)}, not {duration(other.seconds)}"
    assert race.more_images is not None
    return found + f"these images cannot say which is better, some {race.more_images:,} more to test on might"


def _mode(raced: Raced) -> str:
    scheme = Scheme.parse(raced.scheme)
    return f"blocks {doing(scheme)}" if scheme.between else doing(scheme)


def _span(raced: Raced) -> str:
    return f"{100 * raced.low:.0f} to {100 * raced.high:.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def duration(seconds: float) -> str:
    """Seconds up to two minutes, then minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
