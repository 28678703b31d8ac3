"""Photographs that their cameras have noted as turned, in all eight ways."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from freeze_or_tune.data.decoding import decode, decode_noting, decode_picture
from freeze_or_tune.records.decoding import Decoding

from .conftest import encoded
from .pictures import noted, saved, tiff

pytestmark = pytest.mark.filterwarnings("ignore:Corrupt EXIF data")

UPRIGHT, STORED = Decoding(orientation="exif"), Decoding()
PIXELS = np.random.default_rng(0).integers(0, 256, (24, 37, 3), dtype=np.uint8)
LOSSLESS = {"PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}}

# What each number means, in numpy's words: rows and columns of the stored picture as they are to be seen.
BY_HAND = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", BY_HAND)
@pytest.mark.parametrize("kind", LOSSLESS)
def test_is_turned_as_viewers_show_it(kind: str, orientation: int) -> None:
    data = saved(Image.fromarray(PIXELS), kind, exif=noted(orientation), **LOSSLESS[kind])
    upright = encoded(np.ascontiguousarray(BY_HAND[orientation](PIXELS)))
    np.testing.assert_array_equal(decode(data, 16, UPRIGHT), decode(upright, 16))
    np.testing.assert_array_equal(decode(data, 16, STORED), decode(encoded(PIXELS), 16))
    for how in (UPRIGHT, STORED):
        assert decode_noting(data, 16, how).noticed == (("turned",) if orientation > 1 else ())


@pytest.mark.parametrize("orientation", BY_HAND)
def test_a_jpeg_is_what_pillow_makes_upright(orientation: int) -> None:
    data = saved(Image.fromarray(PIXELS), "JPEG", exif=noted(orientation), quality=95)
    with Image.open(io.BytesIO(data)) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(decode(data, 20, UPRIGHT), decode(encoded(upright), 20))


@pytest.mark.parametrize("orientation", BY_HAND)
def test_an_image_that_pillow_has_opened_is_what_its_file_is(orientation: int) -> None:
    data = saved(Image.fromarray(PIXELS), "PNG", exif=noted(orientation))
    with Image.open(io.BytesIO(data)) as image:
        for given_image in (image, image.copy()):
            np.testing.assert_array_equal(decode_picture(given_image, 16, UPRIGHT), decode(data, 16, UPRIGHT))
        turned = ImageOps.exif_transpose(image)
    np.testing.assert_array_equal(decode_picture(turned, 16, UPRIGHT), decode(data, 16, UPRIGHT))


@pytest.mark.parametrize("orientation", BY_HAND)
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_deep_tiffs_are_turned_and_left_as_others_are(
    dtype: type, channels: tuple[int, ...], orientation: int
) -> None:  # fmt: skip
    values = np.random.default_rng(1).integers(0, 4096, (24, 37, *channels)).astype(dtype)
    how = Decoding(orientation="exif", integers=(0, 4095), reals=(0, 4095))
    stored = how.model_copy(update={"orientation": "stored"})
    seen = tiff(np.ascontiguousarray(BY_HAND[orientation](values)))
    np.testing.assert_array_equal(decode(tiff(values, orientation), 16, how), decode(seen, 16, how))
    np.testing.assert_array_equal(decode(tiff(values, orientation), 16, stored), decode(tiff(values), 16, how))
    assert ("turned" in decode_noting(tiff(values, orientation), 16, how).noticed) == (orientation > 1)


@given(st.binary(max_size=80), st.sampled_from([b"Exif\0\0", b"Exif\0\0II*\0\x08\0\0\0", b""]))
def test_a_broken_note_makes_no_image_unreadable(note: bytes, start: bytes) -> None:
    data = saved(Image.fromarray(PIXELS), "JPEG", exif=start + note)
    assert decode(data, 8, UPRIGHT).shape == (8, 8, 3)


@pytest.mark.parametrize("orientation", [0, 9, 42, 65535])
def test_a_number_that_means_nothing_turns_nothing(orientation: int) -> None:
    data = saved(Image.fromarray(PIXELS), "PNG", exif=noted(orientation))
    found = decode_noting(data, 16, UPRIGHT)
    np.testing.assert_array_equal(found.pixels, decode(encoded(PIXELS), 16))
    assert found.noticed == ()


def test_a_damaged_file_with_a_note_is_no_black_picture() -> None:
    data = saved(Image.fromarray(PIXELS), "PNG", exif=noted(6))
    with pytest.raises(ValueError, match=r"\w"):
        decode(data[: len(data) // 2], 16, UPRIGHT)
