"""How the images of one dataset are decoded: all in one way, found on those of them that have more than eight bits."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Literal, TypeAlias, get_args

from freeze_or_tune.data.archives import UnreadableFile
from freeze_or_tune.data.decoding import UnreadableImage, decode_noting, deep_values
from freeze_or_tune.data.deep import BITS, Extremes, Kind, extremes, range_of
from freeze_or_tune.data.patches import Pixels
from freeze_or_tune.records.decoding import Decoding, Orientation, Range, Stored
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.hashing import stable_digest

Wish: TypeAlias = Literal["auto"] | Range | None
"""Black and white of deep images: to be found, said, or none, Caffe's way."""

MOST_LOOKED_AT = 2000
"""Deep images on which black and white are found."""

_NOTICES = {
    "turned": "Photographs whose camera has noted that they lie on a side or upside down; they are {}",
    "pages": "Files of several pages; the first of each is taken",
    "frames": "Animations; the first frame of each is taken",
    "numberless": "Images with pixels that are no numbers (NaN); these pixels are black",
}
_TURNED = {
    "exif": "turned as viewers show them, unless you set `orientation: stored`",
    "stored": "taken as stored, as `orientation` says",
}


class Decoder:
    """Decodes images by name, from any thread, and remembers what is noticed."""

    def __init__(
        self, read: Callable[[str], bytes], size: int, orientation: Orientation = "stored", wish: Wish = None
    ) -> None:
        """Take what gives the bytes of an image, the side of what becomes of it, and what the study says."""
        self._read, self._size, self._wish = read, size, wish
        said = wish if isinstance(wish, tuple) else None
        self.how = Decoding(orientation=orientation, integers=said, reals=said)
        self._unknown: frozenset[Kind] = frozenset(get_args(Kind)) if wish == "auto" else frozenset()
        self._noticed: dict[str, set[str]] = defaultdict(set)
        self._deep: dict[str, Kind] = {}
        self._words: dict[Kind, str] = {}

    def __call__(self, name: str) -> Pixels | None:
        """Pixels uint8 [size, size, 3]; None for a deep image while its range is not settled.

        Raises UnreadableImage or UnreadableFile.
        """
        decoded = decode_noting(self._read(name), self._size, self.how, self._unknown)
        if decoded.deep:
            self._deep[name] = decoded.deep
        for notice in decoded.noticed:
            self._noticed[notice].add(name)
        return decoded.pixels

    def settle(self, names: Iterable[str], in_threads: Callable[..., Iterable[Extremes | None]]) -> None:
        """Find black and white on at most 2,000 of the deep images `names`, chosen by a hash of their names.

        So stores of any size have the same. `in_threads` is a pool's map.
        """
        waiting = list(names)  # in the order in which the archive is best read
        for kind in get_args(Kind):
            chosen = [name for name in waiting if self._deep[name] == kind]
            if not chosen:
                continue
            first = set(sorted(chosen, key=stable_digest)[:MOST_LOOKED_AT])
            looked_at = [name for name in chosen if name in first]
            found = [one for one in in_threads(self._extremes, looked_at) if one]
            if found:
                self.how = self.how.model_copy(update={kind: range_of(kind, found)})
                self._words[kind] = _in_words(kind, range_of(kind, found), found, len(looked_at) < len(chosen))
            self._unknown -= {kind}

    def stored(self, names: Iterable[str]) -> Stored:
        """What has become of the images that were stored."""
        kept = set(names)
        findings = [
            finding
            for notice, words in _NOTICES.items()
            for finding in Finding.of(
                "read", kept & self._noticed[notice], words.format(_TURNED[self.how.orientation])
            )
        ]  # fmt: skip
        for kind in get_args(Kind) if self._wish else ():
            deep = [name for name, other in self._deep.items() if other == kind and name in kept]
            findings += Finding.of("read", deep, self._words.get(kind) or _as_said(self.how.integers))
        return Stored(decoding=self.how, findings=tuple(findings))

    def _extremes(self, name: str) -> Extremes | None:
        try:
            return extremes(deep_values(self._read(name)))
        except (UnreadableImage, UnreadableFile, ValueError):
            return None  # it is left out when it is decoded, with the reason


def _in_words(kind: Kind, black_and_white: Range, found: Sequence[Extremes], some: bool) -> str:
    black, white = black_and_white
    low, high = min(one.low for one in found), max(one.high for one in found)
    bits = [bits for bits in BITS if white == 2**bits - 1] if kind == "integers" and black == 0 else []
    numbers = "Images of more than 8 bits" if kind == "integers" else "Images of real numbers"
    why = f"the {bits[0]} bits that they use are shown, " if bits else ""
    middle = median(one.high for one in found)
    dark = bits and bits[0] > BITS[0] and middle < 2 ** BITS[BITS.index(bits[0]) - 1]
    return (
        f"{numbers}, with values from {low:g} to {high:g}{f' (looked at {len(found):,})' if some else ''}: "
        f"{why}{black:g} as black and {white:g} as white, "
        f"{f'although half of them end at {middle:g} or below, ' if dark else ''}unless you set `range: [black, white]`"
    )


def _as_said(said: Range | None) -> str:
    shown = f"{said[0]:g} is black and {said[1]:g} white, as `range` says" if said else "none could be looked at"
    return f"Images of more than 8 bits, or of real numbers; {shown}"
