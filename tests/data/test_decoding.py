import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from freeze_or_tune.data.decoding import UnreadableImage, decode, decode_noting, decode_picture
from freeze_or_tune.records.decoding import CAFFE

from .conftest import encoded
from .pictures import saved

PHOTO = Image.fromarray(np.random.default_rng(4).integers(0, 256, (4, 4, 3), dtype=np.uint8)).resize((32, 32))


def by_torch(pixels: np.ndarray, size: int) -> np.ndarray:
    """Warp as torch does, without antialiasing, to whole grey levels."""
    image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].double()
    warped = torch.nn.functional.interpolate(image, (size, size), mode="bilinear", align_corners=False)
    return warped[0].permute(1, 2, 0).round().numpy()


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(64, 48, 100), (300, 200, 64), (8, 8, 64), (1, 1, 8), (3, 500, 32), (300, 300, 256), (2, 3, 7), (72, 72, 72)],
)
def test_warping_is_bilinear_without_antialiasing(height: int, width: int, size: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_allclose(decode(encoded(pixels), size), by_torch(pixels, size), atol=1)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_warping_at_any_size(height: int, width: int, size: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_allclose(decode(encoded(pixels), size), by_torch(pixels, size), atol=1)


@pytest.mark.parametrize(("height", "width"), [(375, 500), (500, 333), (200, 150), (256, 256), (30, 1000)])
def test_warping_is_that_of_opencv_which_caffe_uses(height: int, width: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    warped = cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(decode(encoded(pixels), 256).astype(int), warped.astype(int), atol=1)


def test_an_image_of_the_right_size_is_untouched() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    decoded = decode(encoded(pixels), 32)
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, pixels)


def test_grey_becomes_three_equal_channels() -> None:
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    np.testing.assert_array_equal(decode(encoded(grey), 4), np.repeat(grey[..., None], 3, 2))


def test_sixteen_bits_keep_the_upper_eight() -> None:
    deep = np.array([[0, 255, 256], [0x7FFF, 0x8000, 0xFFFF], [1000, 30000, 65280]], np.uint16)
    for kind in ("PNG", "TIFF", "PPM"):
        np.testing.assert_array_equal(decode(encoded(deep, kind), 3)[..., 0], deep >> 8)


def test_palette_and_bilevel() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    buffer = io.BytesIO()
    image.save(buffer, "GIF")
    assert (decode(buffer.getvalue(), 4) == (10, 200, 30)).all()
    buffer = io.BytesIO()
    Image.new("1", (4, 4), 1).save(buffer, "PNG")
    assert (decode(buffer.getvalue(), 4) == 255).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_over_white(mode: str) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **({"transparency": 0} if mode == "P" else {}))
    assert (decode(buffer.getvalue(), 4) == 255).all()


def test_half_transparent_is_mixed_with_white() -> None:
    pixels = np.full((4, 4, 4), (200, 100, 0, 51), np.uint8)  # a fifth opaque
    np.testing.assert_allclose(decode(encoded(pixels), 4)[0, 0], (244, 224, 204), atol=1)


def test_cmyk_jpeg() -> None:
    buffer = io.BytesIO()
    Image.new("CMYK", (16, 16), (255, 0, 0, 0)).save(buffer, "JPEG", quality=95)
    np.testing.assert_allclose(decode(buffer.getvalue(), 8)[4, 4], (0, 255, 255), atol=6)


def test_exif_orientation_is_ignored() -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, exif=exif)
    decoded = decode(buffer.getvalue(), 16)
    assert decoded[2, 8].min() > 240
    assert decoded[13, 8].max() < 15


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert (decode(buffer.getvalue(), 4) == (255, 0, 0)).all()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"])
def test_truncated_files_are_unreadable(kind: str) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(pixels, kind)
    assert decode(data, 16).shape == (16, 16, 3)
    for part in (0, 1, 9, len(data) // 3, len(data) * 9 // 10):
        with pytest.raises(UnreadableImage, match=r"\w"):
            decode(data[:part], 16)


def test_a_flipped_byte_in_a_png_is_noticed() -> None:
    data = bytearray(encoded(np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(UnreadableImage):
        decode(bytes(data), 16)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("side", "reason"), [(10_001, "10001 x 10001 pixels are too many"), (60_000, "more than 100,000,000 pixels")]
)
def test_decompression_bombs_are_refused_before_they_are_unpacked(side: int, reason: str) -> None:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")
    with pytest.raises(UnreadableImage, match=reason):
        decode(bomb, 16)


def test_formats_that_run_programs_are_not_tried() -> None:
    with pytest.raises(UnreadableImage, match="not an image of a known format"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", 8)


def test_floating_point_pixels_have_no_known_range() -> None:
    with pytest.raises(UnreadableImage, match="mode F"):
        decode(encoded(np.zeros((4, 4), np.float32), "TIFF"), 4)


def test_error_is_a_value_error_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^not an image of a known format \(PNG, .*\)$") as error:
        decode(b"no image", 8)
    assert "\n" not in str(error.value)


BY_OPENCV = {
    "CMYK of Adobe": (saved(PHOTO.convert("CMYK"), "JPEG", quality=95), 12),
    "YCbCr, TIFF": (saved(PHOTO.convert("YCbCr"), "TIFF"), 3),
    "palette": (saved(PHOTO.quantize(64), "PNG"), 0),
    "two bits": (saved(PHOTO.quantize(4), "PNG", bits=2), 0),
    "one bit, TIFF": (saved(PHOTO.convert("1"), "TIFF"), 0),
    "progressive": (saved(PHOTO, "JPEG", progressive=True), 2),
    "AVIF": (saved(PHOTO, "AVIF", quality=90), 2),
    "LZW": (saved(PHOTO, "TIFF", compression="tiff_lzw"), 0),
}


@pytest.mark.parametrize("form", BY_OPENCV)
def test_is_what_opencv_reads(form: str) -> None:
    data, apart = BY_OPENCV[form]
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_allclose(decode(data, 32).astype(int), read, atol=apart)


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGBA", "PNG"), ("RGBA", "TIFF"), ("RGBA", "WEBP"), ("LA", "PNG"), ("LA", "TIFF")]
)
def test_opacity_is_mixed_with_white(mode: str, kind: str) -> None:
    picture = Image.fromarray(np.random.default_rng(5).integers(0, 256, (16, 16, 4), dtype=np.uint8)).convert(mode)
    straight = np.asarray(picture.convert("RGBA")).astype(float)
    data = saved(picture, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
    opacity = straight[..., 3:] / 255
    expected = straight[..., :3] * opacity + 255 * (1 - opacity)
    np.testing.assert_allclose(decode(data, 16), expected, atol=1)
    # As some programs keep it, multiplied already.
    multiplied = picture.convert("La" if mode == "LA" else "RGBa")
    np.testing.assert_allclose(decode_picture(multiplied, 16), expected, atol=2)


def test_lab_is_what_colour_science_makes_of_it() -> None:
    lab = np.random.default_rng(6).integers((90, -9, -9), (200, 10, 10), (16, 16, 3))
    data = saved(Image.frombytes("LAB", (16, 16), lab.astype(np.int8).tobytes()), "TIFF")
    expected = 255 * cv2.cvtColor((lab * [100 / 255, 1, 1]).astype(np.float32), cv2.COLOR_LAB2RGB)
    np.testing.assert_allclose(decode(data, 16), expected, atol=4)


def test_what_a_telephone_lays_behind_its_photograph_is_no_animation() -> None:
    data = saved(PHOTO, "MPO", save_all=True, append_images=[PHOTO.convert("L").convert("RGB")])
    found = decode_noting(data, 32, CAFFE)
    assert found.noticed == ()
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(found.pixels, np.asarray(image))
