import re
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path
from typing import get_args

import matplotlib
import numpy as np
import pytest
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from freeze_or_tune.data import builtin
from freeze_or_tune.data.builtin import ALPHABETS, FACES, class_name, faces_of, render_glyph, render_glyphs
from freeze_or_tune.study.datasets import Alphabet

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def test_alphabets_have_the_promised_sizes_and_share_no_letter() -> None:
    assert {name: len(set(letters)) for name, letters in ALPHABETS.items()} == {
        "latin-a": 100, "latin-b": 40, "greek": 48, "cyrillic": 26, "armenian": 38, "georgian": 33, "mathematics": 40,
        "arrows": 48, "braille": 63, "chess": 12,
    }  # fmt: skip
    assert len(set("".join(ALPHABETS.values()))) == len("".join(ALPHABETS.values()))
    assert set(ALPHABETS) == set(get_args(Alphabet))


def test_latin_split_never_changes() -> None:
    assert ALPHABETS["latin-b"] == "FSTYZgnvzÒØäæóøąĊčĎđĕėęĞĥħĴĸĻŁŉŖţŤťŪŲųżž"


SCRIPTS = {
    "latin-a": "LATIN", "latin-b": "LATIN", "greek": "GREEK", "cyrillic": "CYRILLIC", "armenian": "ARMENIAN",
    "georgian": "GEORGIAN", "braille": "BRAILLE", "chess": "(WHITE|BLACK) CHESS",
    "arrows": ".*(ARROW|HARPOON)", "mathematics": ".*",
}  # fmt: skip


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_all_are_letters_of_their_script(alphabet: str) -> None:
    assert all(re.match(SCRIPTS[alphabet], unicodedata.name(letter)) for letter in ALPHABETS[alphabet])


def test_greek_is_each_letter_in_both_cases() -> None:
    upper = ALPHABETS["greek"][:24]
    assert upper.lower() == ALPHABETS["greek"][24:]


def test_class_names_are_safe_and_unique_without_case() -> None:
    names = [class_name(letter) for letters in ALPHABETS.values() for letter in letters]
    assert class_name("A") == "0041-latin-capital-letter-a"
    assert len({name.lower() for name in names}) == len(names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)


@pytest.mark.parametrize("face", FACES)
def test_each_face_draws_each_letter_in_its_own_way(face: str) -> None:
    drawn = [letters for name, letters in ALPHABETS.items() if face in faces_of(name)]
    assert FT2Font(str(FONTS / face)).get_charmap().keys() >= {ord(c) for c in "".join(drawn)}
    for letters in drawn:
        masks = set()
        for letter in letters:
            mask = Image.new("L", (96, 96))
            ImageDraw.Draw(mask).text((48, 48), letter, font=builtin._font(face, 40), fill=255, anchor="mm")
            masks.add(mask.tobytes())
        assert len(masks) == len(letters)


@pytest.mark.slow
def test_an_image_depends_on_letter_and_number_alone(tmp_path: Path) -> None:
    render_glyphs("greek", 2, tmp_path / "two.zip")
    render_glyphs("greek", 3, tmp_path / "three.zip")
    render_glyphs("greek", 3, tmp_path / "again.zip")
    with zipfile.ZipFile(tmp_path / "two.zip") as two, zipfile.ZipFile(tmp_path / "three.zip") as three:
        assert len(two.namelist()) == 96
        assert all(two.read(name) == three.read(name) for name in two.namelist())
        assert len({three.read(name) for name in three.namelist()}) == 144
        assert all(info.compress_type == zipfile.ZIP_STORED for info in three.infolist())
        name = "03c9-greek-small-letter-omega/00002.png"
        with three.open(name) as file, Image.open(file) as image:
            assert (image.size, image.mode) == ((64, 64), "RGB")
            np.testing.assert_array_equal(np.asarray(image), render_glyph("ω", 2))
    assert (tmp_path / "three.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_letters_are_whole_and_stand_out() -> None:
    for i in range(40):
        for letter in "WiÅ":
            random = np.random.default_rng(i)
            ink = builtin._ink(letter, FACES[i % len(FACES)], random)
            assert ink.max() > 0.5
            edge = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
            assert edge.sum() < 0.1 * ink.sum()


def test_digits_are_scikit_learns(tmp_path: Path) -> None:
    builtin.export_digits(tmp_path / "digits.zip")
    scans = load_digits()
    with zipfile.ZipFile(tmp_path / "digits.zip") as archive:
        names = archive.namelist()
        # Counts from the description of the data set in scikit-learn's documentation.
        assert sorted(Counter(name[0] for name in names).values()) == sorted(
            [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
        )
        for i in (0, 17, 1796):
            with archive.open(f"{scans.target[i]}/{i:05d}.png") as file, Image.open(file) as image:
                assert image.mode == "L"
                np.testing.assert_allclose(np.asarray(image) / 255 * 16, scans.images[i], atol=0.04)
    first = (tmp_path / "digits.zip").read_bytes()
    builtin.export_digits(tmp_path / "digits.zip")
    assert (tmp_path / "digits.zip").read_bytes() == first
