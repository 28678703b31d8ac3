"""The advice as a page for people, to be read in a terminal."""

from collections.abc import Iterable
from pathlib import Path

from tabulate import tabulate

from freeze_or_tune.analysis.advice.words import duration, mirroring, reason, verdict
from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.records.advice import Advice
from freeze_or_tune.records.race import Race
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.system.commands import front_command


def page(advice: Advice, path: Path, command: str) -> str:
    """Markdown, to stand at `path` with the picture beside it; `command` makes the model."""
    model = path.with_suffix("") / "model.safetensors"
    schemes = " and ".join(f"`{scheme}` ({Scheme.parse(scheme).paper})" for scheme in advice.schemes)
    parts = [
        f"# Freeze or tune: {advice.dataset}",
        f"**{verdict(advice)}.** {reason(advice)}",
        f"Start from `{advice.source}`. In the study's notation: {schemes}.",
        f"![What each block tells, and the race]({path.with_suffix('.png').name})",
        *(("## Take care", _list(advice.warnings)) if advice.warnings else ()),
        "## What was measured",
        _facts(advice),
        *_race(advice.race),
        "Each block of a source's network, by what its pooled outputs tell of the images that do not test:",
        _profiles(advice),
        mirroring(advice),
        "## What other images say",
        *_others(advice),
        "## Your images",
        _images(advice),
        *([_list(map(str, advice.check.findings))] if advice.check.findings else ()),
        "## Next",
        "This makes the model, and then classifies an image:",
        f"```\n{command}\n{front_command('predict', model, 'photo.jpg')}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _facts(advice: Advice) -> str:
    rows = []
    for profile in advice.profiles:
        last, cosine = profile.last, advice.distances.get(profile.source)
        rows.append((
            f"`{profile.source}`",
            f"{_percent(last.logistic)} ({100 * last.low:.1f} to {100 * last.high:.1f})",
            _percent(last.neighbours),
            "none" if cosine is None else f"{cosine:.3f}{' (estimate)' if profile.source in advice.estimated else ''}",
        ))  # fmt: skip
    headers = ["source", "logistic regression on its features", "nearest neighbours", "cosine distance"]
    first = advice.profiles[0]
    return (
        str(tabulate(rows, headers, tablefmt="pipe", disable_numparse=True))
        + f"\n\nCross-validated in {first.folds} folds of {first.images:,} images of {first.classes} classes; chance "
        f"is {_percent(1 / first.classes)}. The source is the one with the best features."
        + ("" if advice.distances else " There is no distance: it takes images of a source, or its mean features.")
    )


def _race(race: Race | None) -> list[str]:
    if race is None:
        return ["There was no race: `budget: 0`."]
    if race.winner is None:
        return [f"There was no race: {race.left_out}."]
    rows = [
        (
            f"`{one.scheme}`", _percent(one.accuracy), f"{100 * one.low:.1f} to {100 * one.high:.1f}", one.images,
            f"{100 * one.behind:+.1f} ({100 * one.behind_low:+.1f} to {100 * one.behind_high:+.1f})"
            if one.scheme != race.winner else "",
            one.rounds, duration(one.seconds),
        )
        for one in race.schemes
    ]  # fmt: skip
    headers = ["scheme", "right", "95 % interval", "images", "winner's lead, points", "rounds", "a round trains"]
    return [
        f"The race, {race.rounds} of {race.planned} rounds in {duration(race.seconds)} of {race.budget:g} min; in "
        "each, every scheme searches its best candidate, and is tested on images that it has not seen:",
        str(tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)),
        "Bounds of the lead hold with 95 % each, over all rounds. What trains longer must be better by "
        f"{100 * race.margin:g} points to be worth it.",
    ]


def _profiles(advice: Advice) -> str:
    deepest = max(len(profile.blocks) for profile in advice.profiles)
    rows = [
        [str(place + 1), *(
            _percent(profile.blocks[place].logistic) if place < len(profile.blocks) else ""
            for profile in advice.profiles
        )]
        for place in range(deepest)
    ]  # fmt: skip
    headers = ["block", *(f"`{profile.source}`" for profile in advice.profiles)]
    return str(tabulate(rows, headers, tablefmt="pipe", disable_numparse=True))


def _others(advice: Advice) -> list[str]:
    near, much = advice.distance_level, advice.data_level
    evidence = ", ".join(advice.evidence) or "those that ship with the package"
    lines = []
    if near is not None:
        levels = (
            f"At this distance ({paper.DISTANCE_NAMES[near].lower()}, {paper.DISTANCE_RANGES[near]}) and with so many "
            f"images a class ({advice.images_a_class}: {paper.DATA_NAMES[much].lower()}, {paper.DATA_RANGES[much]})"
        )
        ours = f"says **{advice.experiments}**" if advice.experiments else "says nothing, for want of such pairs"
        lines.append(
            f"{levels} Table 3 of {paper.NAME} says **{advice.paper}**; the same table of experiments ({evidence}) "
            f"{ours}. The levels are the paper's, of CaffeNet and ImageNet; for another network they are a guide."
        )
    foreseen = advice.forecast
    if foreseen is None:
        lines.append(f"No forecast of tuned over frozen accuracy: {advice.no_forecast}.")
    else:
        lines.append(
            f"Tuned over frozen accuracy should be {foreseen.ratio:.2f}, and between {foreseen.low:.2f} and "
            f"{foreseen.high:.2f} ({100 * foreseen.confidence:.0f} % interval), by a regression on {foreseen.pairs} "
            f"pairs of experiments on {foreseen.targets} datasets ({evidence}): {foreseen.formula}. For a dataset that "
            f"it was not fitted to, it was typically off by a factor of {foreseen.typical_error:.2f}."
        )
    return lines


def _images(advice: Advice) -> str:
    check = advice.check
    span = f" ({check.smallest} to {check.largest})" if check.smallest < check.largest else ""
    return (
        f"{check.used_images:,} of {check.images:,} images in {check.used_classes:,} of {check.classes:,} classes are "
        f"used: {check.train:,} to train, {check.val:,} to validate, {check.test:,} to test. Training images a class, "
        f"the median{span}: {check.typical}."
    )


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
