"""Stage: the advice for one's own images, for people, browsers and programs."""

import base64
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from freeze_or_tune.analysis.advice.counsel import counsel
from freeze_or_tune.analysis.advice.evidence import read_evidence
from freeze_or_tune.analysis.advice.markdown import page
from freeze_or_tune.analysis.advice.picture import picture
from freeze_or_tune.analysis.advice.web import Shown, render
from freeze_or_tune.analysis.show.style import write_figure
from freeze_or_tune.data.splits import read_split
from freeze_or_tune.data.store import Store
from freeze_or_tune.records.advice import Check
from freeze_or_tune.records.distances import Distance
from freeze_or_tune.records.probes import Profile
from freeze_or_tune.records.race import Race
from freeze_or_tune.system.files import write_text
from freeze_or_tune.system.text import valid

_CLASSES, _EACH = 24, 3
"""Classes that are shown, and images of each."""
_SIDE = 96
"""Pixels a side of a picture."""


class Written(NamedTuple):
    """Where the advice is written: for programs, people, browsers, and as pictures."""

    record: Path
    markdown: Path
    html: Path
    pictures: Sequence[Path]


def advise(
    check: Path, profiles: Sequence[Path], distances: Sequence[Path], race: Path | None, evidence: Sequence[Path],
    blocks: Mapping[str, int], store: Path, split: Path, written: Written, command: str,
) -> None:  # fmt: skip
    """Write the advice.

    `blocks` are those of each source's network, `store` has the images of `split`; `command` makes
    the model. Without tables of `evidence` the one of the package is taken.
    """
    advice = counsel(
        Check.read(check), [Profile.read(path) for path in profiles], [Distance.read(path) for path in distances],
        Race.read(race) if race else None, read_evidence(evidence), blocks, tuple(map(str, evidence)),
    )  # fmt: skip
    images = Store(store)
    mistakes = [(one, _picture(images, one.image)) for one in advice.profiles[0].mistakes]
    model = written.markdown.with_suffix("") / "model.safetensors"
    write_figure(partial(picture, advice), written.pictures, title=f"Advice for {advice.dataset}")
    write_text(written.html, render(advice, _shown(images, split), mistakes, command, model))
    write_text(written.markdown, page(advice, written.markdown, command))
    advice.write(written.record)


def _shown(store: Store, split: Path) -> list[Shown]:
    """The first images of each class, by name."""
    classes: dict[str, list[str]] = defaultdict(list)
    for row in read_split(split, 0, 0, 0, pool="shares"):
        classes[row.class_name].append(row.image)
    return [
        Shown(valid(name), len(names), tuple(_picture(store, image) for image in names[:_EACH]))
        for name, names in sorted(classes.items())[:_CLASSES]
    ]


def _picture(store: Store, image: str) -> str:
    """A small picture as a data: address."""
    small = Image.fromarray(store.images([image])[0])
    small.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
