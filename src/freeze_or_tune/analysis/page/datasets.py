"""The page's datasets: what their images look like, and how far each is from its source."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from freeze_or_tune.analysis.page.content import Images, Use, known
from freeze_or_tune.study.metrics import METRICS


def datasets(results: pd.DataFrame, samples: Sequence[Path], sources: Mapping[str, str]) -> tuple[Images, ...]:
    """Those of the sources, then those of the targets from near to far; `samples` are <dataset>.png."""
    targets = results.drop_duplicates("target").sort_values("cosine", kind="stable")
    names = dict.fromkeys([*sources.values(), *targets["dataset"]])
    sheets = {path.stem: path for path in samples}
    return tuple(
        Images(
            dataset=name,
            sheet=_address(sheets[name]) if name in sheets else None,
            source_of=tuple(source for source, dataset in sources.items() if dataset == name),
            uses=tuple(_use(row) for row in targets[targets["dataset"] == name].itertuples()),
        )
        for name in names
    )


def _use(row: Any) -> Use:
    others = {name: metric for name, metric in METRICS.items() if name != "cosine"}
    values = {
        f"{metric.label} tells them apart" if metric.is_accuracy else metric.label: _text(
            getattr(row, name), "{:.1%}" if metric.is_accuracy else "{:#.3g}"
        )
        for name, metric in others.items()
    }
    return Use(
        target=row.target, source=row.source, cosine=known(row.cosine), estimated=row.cosine_estimated == "yes",
        level=row.distance_level, distances=values,
    )  # fmt: skip


def _address(picture: Path) -> str:
    """The picture as a data: address; WebP, because the page holds all pictures of a study."""
    buffer = BytesIO()
    with Image.open(picture) as image:
        image.save(buffer, "WEBP", quality=85)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"


def _text(value: float, form: str) -> str:
    return "–" if known(value) is None else form.format(value)
