"""Datasets that need no download: letters rendered from matplotlib's fonts, and scikit-learn's digits."""

import io
import sys
import unicodedata
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits
from tqdm import tqdm

from freeze_or_tune.system.files import replacing
from freeze_or_tune.system.hashing import stable_digest, stable_seed

SIZE = 64
"""Pixels a side of a rendered letter."""

FACES = (
    *(f"DejaVuSans{style}.ttf" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}.ttf" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}.ttf" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"STIXGeneral{style}.ttf" for style in ("", "Bol", "Italic", "BolIta")),
)

_DRAWN_BY = {
    "armenian": FACES[:12],
    "georgian": FACES[:12],
    "mathematics": FACES[:8],
    "arrows": FACES[:12],
    "braille": (*FACES[:4], *FACES[8:12]),
    "chess": FACES[:2],
}
"""Where not all faces have the letters: DejaVu Sans, Sans Mono and Serif stand first, in four styles each."""

# The accented letters are those least like each other and the plain ones, whatever their size:
# most lower-case letters that are small capitals (as in c and C) are left out.
LATIN = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "ÅÆÇÈÐÒØÙÞßàäåæçðóöøýþāĄąĊčĎďđĒēĕėĘęĞĢģĤĥĦħīĲĳĴĶķĸĹĻľŀŁńŅņŇŉŊŋŌōőŒœŔŕŖŗŜŞšŢţŤťŪūůŲųŴŵŸŻżž"
)
GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρστυφχψω"


def _letter_digest(letter: str) -> str:
    return stable_digest("latin", letter)


_SHUFFLED = sorted(LATIN, key=_letter_digest)
ALPHABETS = {
    "latin-a": "".join(sorted(_SHUFFLED[:100])),
    "latin-b": "".join(sorted(_SHUFFLED[100:])),
    "greek": GREEK,
    # Without the capitals that look like a Latin or Greek letter, and the small letters that are small capitals.
    "cyrillic": "БДЖЗИЙЛУЦЧШЩЪЫЬЭЮЯаберуфђћ",
    "armenian": "ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ",
    "georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "mathematics": "∀∂∃∅∆∇∈∉∋∏∑√∝∞∠∧∨∩∪∫⊖∴∼≃≅≈≠≡≤≥⊙⊤⊂⊆⊕⊗⊥⊢⊣⋯",
    "arrows": "←↑→↓↔↕↖↗↘↙↚↜↞↠↢↣↤↦↩↪↫↬↭↮↯↰↱↲↳↶↷↺⇄⇇⇊⇋⇐⇑⇒⇓⇔⇚⇝⇠⇥⇦⇨⇪",
    "braille": "".join(map(chr, range(0x2801, 0x2840))),
    "chess": "♔♕♖♗♘♙♚♛♜♝♞♟",
}
"""Classes of the reader `glyphs`, by the name of their alphabet."""


def faces_of(alphabet: str) -> tuple[str, ...]:
    """The faces that an alphabet is drawn with: those that have all of its letters."""
    return _DRAWN_BY.get(alphabet, FACES)


def class_name(letter: str) -> str:
    """A folder name that is unique also where case does not count, e.g. `0041-latin-capital-letter-a`."""
    return f"{ord(letter):04x}-{unicodedata.name(letter).lower().replace(' ', '-')}"


def render_glyphs(alphabet: str, images: int, destination: Path) -> None:
    """Write a zip of `<class>/<00000>.png`, `images` of each letter, 64x64 RGB; the same bytes every time."""
    with replacing(destination) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for letter in tqdm(ALPHABETS[alphabet], desc=alphabet, disable=not sys.stderr.isatty()):
            for i in range(images):
                pixels = render_glyph(letter, i, faces_of(alphabet))
                _add(archive, f"{class_name(letter)}/{i:05d}.png", pixels)


def export_digits(destination: Path) -> None:
    """Write scikit-learn's 1797 scans as a zip of `<digit>/<00000>.png`, 8x8 grey, numbered as there."""
    digits = load_digits()
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    with replacing(destination) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for i, (label, scan) in enumerate(zip(digits.target, pixels, strict=True)):
            _add(archive, f"{label}/{i:05d}.png", scan)


def render_glyph(letter: str, i: int, faces: Sequence[str] = FACES) -> NDArray[np.uint8]:
    """Picture `i` of a letter, uint8 [64, 64, 3], from (letter, i, faces) alone: any face, place and colours."""
    random = np.random.default_rng(stable_seed("glyph", letter, i))
    ink = _ink(letter, faces[int(random.integers(len(faces)))], random)[..., None]
    light, dark = random.uniform((150, 20), (235, 100))[:, None] + random.uniform(-40, 40, (2, 3))
    paper, colour = (light, dark) if random.random() < 0.5 else (dark, light)
    noise = random.standard_normal((SIZE, SIZE, 3), dtype=np.float32) * random.uniform(2, 16)
    pixels = paper + _clouds(random) + noise + ink * (colour - paper)
    return pixels.clip(0, 255).astype(np.uint8)


def _ink(letter: str, face: str, random: np.random.Generator) -> NDArray[np.float32]:
    """Coverage in [0, 1] of a letter, [64, 64], at a random size, place and angle."""
    mask = Image.new("L", (SIZE, SIZE))
    font = _font(face, int(random.integers(34, 53)))
    ImageDraw.Draw(mask).text((SIZE / 2, SIZE / 2), letter, font=font, fill=255, anchor="mm")
    right, down = random.integers(-6, 7, 2)
    turned = mask.rotate(random.uniform(-12, 12), Image.Resampling.BILINEAR, translate=(int(right), int(down)))
    return np.asarray(turned, np.float32) / np.float32(255)


def _clouds(random: np.random.Generator) -> NDArray[np.float64]:
    """Slow changes of brightness and colour, [64, 64, 3]: a 4x4 grid enlarged bilinearly."""
    grid = random.uniform(-30, 30, (3, 4, 4))
    return np.einsum("yi,cij,xj->yxc", _ENLARGE, grid, _ENLARGE, optimize=True)


def _enlarging(coarse: int, fine: int) -> NDArray[np.float64]:
    """The matrix [fine, coarse] of linear interpolation between `coarse` equally spaced points."""
    places = np.linspace(0, coarse - 1, fine)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(coarse)))


_ENLARGE = _enlarging(4, SIZE)


@cache
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / face
    # The basic layout is the same everywhere; the other needs a library that not each Pillow has.
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _add(archive: zipfile.ZipFile, name: str, pixels: NDArray[np.uint8]) -> None:
    """Store an image as PNG under the earliest date a zip knows, so that the bytes do not depend on today."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    archive.writestr(zipfile.ZipInfo(name), buffer.getvalue())
