"""Images of more than eight bits: what is black and what is white."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from freeze_or_tune.data.decoding import UnreadableImage, decode, decode_noting, decode_picture, decode_values
from freeze_or_tune.data.deep import Extremes, eight_bits, extremes, range_of
from freeze_or_tune.records.decoding import Decoding

from .pictures import by_cv2, saved, tiff

pytestmark = pytest.mark.filterwarnings("ignore:Corrupt EXIF data")

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 4096, (16, 16)).astype(np.uint16)
COLOURS = RNG.integers(0, 4096, (16, 16, 3)).astype(np.uint16)
TWELVE = Decoding(integers=(0, 4095), reals=(0, 1))


def shown(values: np.ndarray, white: float = 4095) -> np.ndarray:
    grey = np.rint(values.astype(float) * 255 / white).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2) if grey.ndim == 2 else grey


FILES = {
    "PNG": (by_cv2(".png", GREY), GREY),
    "TIFF": (by_cv2(".tif", GREY), GREY),
    "PGM": (by_cv2(".pgm", GREY), GREY),
    "TIFF, the other end first": (saved(Image.fromarray(GREY.astype(">u2")), "TIFF"), GREY),
    "TIFF of 32 bits": (saved(Image.fromarray(GREY.astype(np.int32)), "TIFF"), GREY),
    "TIFF with signs": (tiff(GREY.astype(np.int16)), GREY),
    "PNG in colour": (by_cv2(".png", COLOURS), COLOURS),
    "TIFF in colour": (by_cv2(".tif", COLOURS), COLOURS),
    "TIFF in colour, not compressed": (tiff(COLOURS), COLOURS),
    "PPM in colour": (by_cv2(".ppm", COLOURS), COLOURS),
    "real numbers": (saved(Image.fromarray((GREY / 4095).astype(np.float32)), "TIFF"), GREY),
    "real numbers of 64 bits": (tiff(GREY / 4095), GREY),
    "real numbers in colour": (tiff((COLOURS / 4095).astype(np.float32)), COLOURS),
    "real numbers of colours, compressed": (by_cv2(".tif", COLOURS / 4095), COLOURS),
}


@pytest.mark.parametrize("kind", FILES)
def test_twelve_of_sixteen_bits_are_shown_whole(kind: str) -> None:
    data, values = FILES[kind]
    np.testing.assert_allclose(decode(data, 16, TWELVE).astype(int), shown(values), atol=1 if "real" in kind else 0)


@pytest.mark.parametrize("kind", FILES)
def test_files_that_end_too_early_are_unreadable(kind: str) -> None:
    data, _ = FILES[kind]
    for part in (9, len(data) // 3, len(data) * 9 // 10):
        with pytest.raises(UnreadableImage, match=r"\w"):
            decode(data[:part], 16, TWELVE)


@pytest.mark.parametrize("kind", [kind for kind in FILES if not kind.startswith("real numbers ")])
def test_an_image_that_pillow_has_opened_is_what_its_file_is(kind: str) -> None:
    data, _ = FILES[kind]
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(decode_picture(image, 16, TWELVE), decode(data, 16, TWELVE))


def test_an_array_is_what_its_file_is() -> None:
    for values, file in (
        (GREY, by_cv2(".png", GREY)),
        (COLOURS, by_cv2(".png", COLOURS)),
        (GREY / 4095, tiff(GREY / 4095)),
    ):
        np.testing.assert_array_equal(decode_values(values, 9, TWELVE), decode(file, 9, TWELVE))


def test_opacity_of_sixteen_bits_has_all_of_them() -> None:
    values = np.dstack((np.full((4, 4, 3), 4095, np.uint16), np.full((4, 4), 65535, np.uint16)))
    values[..., 0] = 0
    values[:2, :, 3] = 0
    found = decode(by_cv2(".png", values), 4, TWELVE)
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[3, 3].tolist() == [0, 255, 255]


def test_eight_bits_beside_them_stay_as_they_are() -> None:
    pixels = RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for image in (Image.fromarray(pixels), Image.fromarray(pixels[..., 0])):
        data = saved(image, "PNG")
        np.testing.assert_array_equal(decode(data, 16, TWELVE), decode(data, 16))
        assert decode_noting(data, 16, TWELVE).deep is None


def test_a_tiff_whose_white_is_zero_is_turned_over() -> None:
    for values in (GREY, GREY / 4095):
        np.testing.assert_allclose(
            decode(tiff(values, white_is_zero=True), 16, TWELVE).astype(int), 255 - decode(tiff(values), 16, TWELVE)
        )


def test_without_a_range_it_is_caffes_way() -> None:
    np.testing.assert_array_equal(decode(by_cv2(".png", GREY), 16)[..., 0], GREY >> 8)
    np.testing.assert_allclose(decode(by_cv2(".png", COLOURS), 16).astype(int), COLOURS >> 8)
    for data in (FILES["real numbers"][0], FILES["real numbers of 64 bits"][0]):
        with pytest.raises(UnreadableImage, match="real numbers, and nobody has said which of them is white"):
            decode(data, 16)


def test_pixels_that_are_no_numbers() -> None:
    values = np.array([[0, 1, np.nan], [np.inf, -np.inf, 0.5]], np.float32)
    for dtype in (np.float32, np.float64):
        data = tiff(values.astype(dtype))
        found = decode_noting(data, 3, TWELVE)
        assert found.noticed == ("numberless",)
        pixels = eight_bits(values.astype(dtype), (0, 1))
        assert pixels.tolist() == [[0, 255, 0], [255, 0, 128]]
        with pytest.raises(UnreadableImage, match="no pixel is a number"):
            decode(tiff(np.full((3, 3), np.nan, dtype)), 3, TWELVE)


def test_a_tiff_that_says_it_is_larger_than_any_photograph_is_not_unpacked() -> None:
    data = tiff(GREY / 4095).replace(struct.pack("<HHII", 256, 4, 1, 16), struct.pack("<HHII", 256, 4, 1, 10**8))
    with pytest.raises(UnreadableImage, match="100000000 x 16 pixels are too many"):
        decode(data, 16, TWELVE)


@given(st.binary(max_size=200))
def test_whatever_calls_itself_a_tiff_is_read_or_refused_in_words(rest: bytes) -> None:
    with pytest.raises(UnreadableImage, match=r"\w"):
        decode(b"II*\0" + rest, 4, TWELVE)


def of(values: object) -> Extremes:
    return extremes(np.asarray(values))


@pytest.mark.parametrize(
    ("largest", "white"),
    [
        (3, 255), (255, 255), (256, 1023), (1023, 1023), (1024, 4095), (4095, 4095), (4096, 16383), (16383, 16383),
        (16384, 65535), (65535, 65535),
    ],
)  # fmt: skip
def test_the_fewest_bits_that_hold_the_values(largest: int, white: int) -> None:
    assert range_of("integers", [of([0, largest, largest]), of([1, 1])]) == (0, white)


def test_one_hot_pixel_darkens_nothing() -> None:
    hot = GREY.copy()
    hot[3, 3] = 65535
    assert range_of("integers", [of(hot), of(GREY)]) == (0, 4095)
    assert decode(by_cv2(".png", hot), 16, TWELVE)[3, 3].tolist() == [255] * 3
    large = np.tile(hot, (80, 80))[:1000]  # a hundredth of a percent in 1.28 million
    large[large == 65535] = 7
    large.flat[:128] = 65535
    assert range_of("integers", [of(large)]) == (0, 4095)
    large.flat[:129] = 65535
    assert range_of("integers", [of(large)]) == (0, 65535)


def test_one_odd_image_of_a_hundred_darkens_nothing() -> None:
    odd, usual = Extremes(0, 65535), Extremes(0, 4000)
    assert range_of("integers", [odd, *[usual] * 99]) == (0, 4095)
    assert range_of("integers", [odd, *[usual] * 98]) == (0, 65535)


def test_integers_below_zero_or_beyond_16_bits_are_taken_from_the_least_to_the_largest() -> None:
    assert range_of("integers", [Extremes(-1024, 3071), Extremes(-1000, 200)]) == (-1024, 3071)
    assert range_of("integers", [Extremes(10, 70000)]) == (10, 70000)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 1, (0, 1)), (0.2, 0.3, (0, 1)), (-0.005, 1.004, (0, 1)), (0, 254.5, (0, 255)), (-1, 1, (-1, 1)),
        (0, 3000, (0, 3000)), (0, 256, (0, 255)), (-1000, 400, (-1000, 400)), (-7, -7, (-7, -6)),
    ],
)  # fmt: skip
def test_real_numbers(low: float, high: float, found: tuple[float, float]) -> None:
    assert range_of("reals", [Extremes(low, high)]) == found


@given(st.floats(-1e30, 1e30), st.floats(1e-3, 1e30), st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=9))
def test_scaling_keeps_order_and_ends(black: float, width: float, values: list[float]) -> None:
    white = black + width
    if white <= black:
        return
    ordered = eight_bits(np.array(sorted([black, white, *values])), (black, white))
    assert (np.diff(ordered.astype(int)) >= 0).all()
    assert eight_bits(np.array([black, white]), (black, white)).tolist() == [0, 255]
