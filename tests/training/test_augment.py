import numpy as np
import pytest
import torch

from freeze_or_tune.training.augment import Preprocessing

SIZE, CROP = 12, 9
RNG = np.random.default_rng(0)
MEAN = RNG.uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
PIXELS = RNG.integers(0, 256, (40, SIZE, SIZE, 3), np.uint8)


def seeded(seed: int = 7) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def places(count: int, mirror: bool, seed: int = 7) -> list[tuple[int, int, bool]]:
    """(row, column, mirrored) of each view, read off images whose pixels say where they are."""
    coded = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    coded[..., 0], coded[..., 1] = np.mgrid[:SIZE, :SIZE]
    views = Preprocessing(torch.zeros(SIZE, SIZE, 3), CROP, mirror=mirror).random_views(
        torch.from_numpy(coded), seeded(seed)
    )
    rows, columns = views[:, 0, 0, 0].int().tolist(), views[:, 1].amin((1, 2)).int().tolist()
    flips = (views[:, 1, 0, 0] > views[:, 1, 0, -1]).tolist()
    return list(zip(rows, columns, flips, strict=True))


def caffe_view(image: np.ndarray, row: int, column: int, mirrored: bool, scale: float) -> np.ndarray:
    """One view as data_transformer.cpp's loop makes it: [3, CROP, CROP]."""
    view = np.zeros((3, CROP, CROP))
    for c, h, w in np.ndindex(view.shape):
        value = (float(image[row + h, column + w, c]) - float(MEAN[row + h, column + w, c])) * scale
        view[c, h, CROP - 1 - w if mirrored else w] = value
    return view


@pytest.mark.parametrize("mirror", [True, False])
@pytest.mark.parametrize("scale", [1.0, 1 / 64])
def test_the_mean_is_subtracted_at_the_crops_offset_before_mirroring(mirror: bool, scale: float) -> None:
    drawn = places(len(PIXELS), mirror)
    views = Preprocessing(torch.from_numpy(MEAN), CROP, scale, mirror).random_views(torch.from_numpy(PIXELS), seeded())
    assert views.dtype == torch.float32
    assert {flipped for *_, flipped in drawn} == ({True, False} if mirror else {False})
    for view, image, place in zip(views, PIXELS, drawn, strict=True):
        np.testing.assert_allclose(view, caffe_view(image, *place, scale), rtol=1e-5, atol=1e-5)


def test_crops_lie_everywhere_and_half_are_mirrored() -> None:
    drawn = places(4000, mirror=True)
    last = SIZE - CROP
    assert {(row, column) for row, column, _ in drawn} == set(np.ndindex(last + 1, last + 1))
    for row, column in np.ndindex(last + 1, last + 1):
        share = sum(place[:2] == (row, column) for place in drawn) / len(drawn)
        assert share == pytest.approx(1 / 16, abs=0.02)
    assert sum(mirrored for *_, mirrored in drawn) / len(drawn) == pytest.approx(0.5, abs=0.04)


def test_mirroring_does_not_move_the_crops() -> None:
    assert [p[:2] for p in places(50, mirror=True)] == [p[:2] for p in places(50, mirror=False)]
    assert not any(mirrored for *_, mirrored in places(50, mirror=False))


def test_views_depend_on_the_generator_alone() -> None:
    assert places(30, True, seed=1) == places(30, True, seed=1)
    assert places(30, True, seed=1) != places(30, True, seed=2)


@pytest.mark.parametrize(("size", "crop", "offset"), [(12, 9, 1), (12, 10, 1), (12, 12, 0), (256, 227, 14)])
def test_centre_crops(size: int, crop: int, offset: int) -> None:
    mean = RNG.uniform(0, 255, (size, size, 3)).astype(np.float32)
    pixels = RNG.integers(0, 256, (2, size, size, 3), np.uint8)
    views = Preprocessing(torch.from_numpy(mean), crop, 0.5, mirror=True).centre_views(torch.from_numpy(pixels))
    assert views.shape == (2, 3, crop, crop)
    for i, c, h, w in [(0, 0, 0, 0), (1, 2, crop - 1, 0), (0, 1, 2, crop - 1), (1, 0, crop // 2, 3)]:
        expected = (float(pixels[i, offset + h, offset + w, c]) - mean[offset + h, offset + w, c]) / 2
        assert float(views[i, c, h, w]) == pytest.approx(expected, abs=1e-4)


def test_only_one_crop_fits_whole_images() -> None:
    whole = Preprocessing(torch.from_numpy(MEAN), SIZE)
    pixels = torch.from_numpy(PIXELS)
    assert torch.equal(whole.random_views(pixels, seeded()), whole.centre_views(pixels))


def test_the_layout_in_memory_changes_no_number() -> None:
    views = Preprocessing(torch.from_numpy(MEAN), CROP, mirror=True)
    pixels = torch.from_numpy(PIXELS)
    planar = pixels.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    assert planar.stride() != pixels.stride()
    for ours, theirs in [
        (views.random_views(pixels, seeded()), views.random_views(planar, seeded())),
        (views.centre_views(pixels), views.centre_views(planar)),
    ]:
        assert ours.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(ours, theirs)
