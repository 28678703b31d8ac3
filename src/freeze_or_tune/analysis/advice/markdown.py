"""The advice as a page for people."""

from collections.abc import Iterable
from pathlib import Path

from tabulate import tabulate

from freeze_or_tune.analysis.statistics import paper
from freeze_or_tune.records.advice import Advice, Counsel
from freeze_or_tune.study.schemes import Scheme

_HEADLINES: dict[Counsel, str] = {
    "Tune": "**Fine-tune.** Copy all blocks of `{source}` but the last and tune them; the last starts from random "
    "values.",
    "Freeze": "**Freeze.** Copy all blocks of `{source}` but the last and leave them as they are; train the last one.",
    "Try both": "**Try both.** Copy all blocks of `{source}` but the last; tune them in one run, freeze them in "
    "another, and let validation decide.",
}


def page(advice: Advice, path: Path) -> str:
    """Markdown, to stand at `path` with the picture beside it."""
    picture, model = path.with_suffix(".png").name, path.with_suffix("") / "model.safetensors"
    schemes = " and ".join(f"`{scheme}` ({Scheme.parse(scheme).paper})" for scheme in advice.schemes)
    parts = [
        f"# Freeze or tune: {advice.dataset}",
        _HEADLINES[advice.advice].format(source=advice.source) + f" In the study's notation: {schemes}.",
        _facts(advice),
        "## Why",
        *_reasons(advice),
        f"![Tuned over frozen accuracy of all experiments; the star is {advice.dataset}]({picture})",
        "*Each point is a pair of experiments; above 1, tuning is better. The star is where your images are"
        + (
            ", its bar the forecast's interval.*"
            if advice.forecast
            else "; its height says nothing, without a forecast.*"
        ),
        *(("## Take care", _list(advice.warnings)) if advice.warnings else ()),
        "## Your images",
        _images(advice),
        *([_list(map(str, advice.check.findings))] if advice.check.findings else ()),
        "## Next",
        f"`snakemake {model}` (with the options that made this page, such as `--config images=... --`) follows this "
        f"advice and makes the model; then `python -m freeze_or_tune predict {model} photo.jpg` classifies images.",
    ]
    return "\n\n".join(parts) + "\n"


def _facts(advice: Advice) -> str:
    near, much = advice.distance_level, advice.data_level
    rows = [
        (f"Distance (cosine) to {name}" + _remark(advice, name), f"{value:.3f}")
        for name, value in sorted(advice.distances.items(), key=lambda item: item[1])
    ]
    rows[0] = (rows[0][0], f"{rows[0][1]}: {paper.DISTANCE_NAMES[near].lower()} ({paper.DISTANCE_RANGES[near]})")
    check = advice.check
    span = f" ({check.smallest} to {check.largest})" if check.smallest < check.largest else ""
    rows.append(
        ("Training images a class, the median" + span,
         f"{advice.images_a_class}: {paper.DATA_NAMES[much].lower()} ({paper.DATA_RANGES[much]})"),
    )  # fmt: skip
    return str(tabulate(rows, ["what", "value: level"], tablefmt="pipe", disable_numparse=True))


def _remark(advice: Advice, source: str) -> str:
    nearest = ", the nearest source" if source == advice.source else ""
    return nearest + (" (its mean features are an estimate)" if source in advice.estimated else "")


def _reasons(advice: Advice) -> list[str]:
    ours = (
        f"says: **{advice.experiments}**. Where the two differ, the advice is to try both."
        if advice.experiments
        else "says nothing: no pair of them is at these levels, and the paper's word stands alone."
    )
    lines = [
        f"Table 3 of {paper.NAME} says: **{advice.paper}**. The same table of this installation's experiments "
        f"({', '.join(advice.evidence)}) {ours}",
    ]
    foreseen = advice.forecast
    if foreseen is None:
        lines.append(f"There is no forecast of the ratio of accuracies: {advice.no_forecast}.")
    else:
        unsure = foreseen.low <= 1 <= foreseen.high
        lines.append(
            f"Tuned over frozen accuracy should be {foreseen.ratio:.2f}, and between {foreseen.low:.2f} and "
            f"{foreseen.high:.2f} ({100 * foreseen.confidence:.0f} % interval). The forecast is a regression on "
            f"{foreseen.pairs} pairs of experiments on only {foreseen.targets} targets: {foreseen.formula}. For a "
            f"target that it was not fitted to, it was typically off by a factor of {foreseen.typical_error:.2f}."
            + (" **The interval holds 1: this forecast cannot tell which is better.**" if unsure else "")
        )
    lines.append(
        "The levels are the paper's, found with CaffeNet and ImageNet. Distances measured with another network are on "
        "a scale of their own; there they are a guide, not a measurement of the same thing."
    )
    return lines


def _images(advice: Advice) -> str:
    check = advice.check
    return (
        f"{check.used_images:,} of {check.images:,} images in {check.used_classes:,} of {check.classes:,} classes are "
        f"used: {check.train:,} to train, {check.val:,} to validate, {check.test:,} to test."
    )


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
