import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system.errors import UserError
from freeze_or_tune.training.cache import Cache, memory_budget
from freeze_or_tune.training.images import Images

from .small import images

CPU = torch.device("cpu")


def brightness(pixels: Tensor) -> Tensor:
    """Three channels of 2 x 2 numbers for each image, in channels-last memory."""
    corners = pixels[:, :2, :2].float() / 7
    return corners.permute(0, 3, 1, 2)


def brightness_of(pictures: Images) -> tuple[Callable[[Tensor], Tensor], Images]:
    return lambda indices: brightness(pictures.take(indices)), pictures


def mapped_files() -> list[str]:
    """The unnamed files that this process has mapped into its memory."""
    folder = tempfile.gettempdir()
    return [line for line in Path("/proc/self/maps").read_text().splitlines() if folder in line and "deleted" in line]


@pytest.mark.parametrize("budget", [0, 1e9])
@pytest.mark.parametrize("count", [3, 250, 601])
def test_a_table_is_what_was_computed_wherever_it_lies(budget: float, count: int) -> None:
    pictures = images(count)
    files = len(mapped_files())
    table = Cache(CPU, budget).fill(*brightness_of(pictures))
    assert len(mapped_files()) - files == (budget == 0)
    indices = torch.tensor([2, 0, count - 1, 2])
    assert torch.equal(table.take(indices), brightness(pictures.pixels[indices]))
    assert table.take(indices).is_contiguous(memory_format=torch.channels_last)


def test_no_more_than_the_budget_is_kept_in_memory() -> None:
    cache = Cache(CPU, budget=3 * 4 * 3 * 4 * 10)
    assert not cache.reserve(3 * 4 * 3 * 4 * 10 + 1)
    files = len(mapped_files())
    tables = [cache.fill(*brightness_of(images(10))) for _ in range(4)]  # 10 images of 3 x 2 x 2 floats: three fit
    assert len(mapped_files()) - files == 1
    assert all(torch.equal(tables[0].values, table.values) for table in tables)
    assert cache.left == 0


def test_without_files_what_has_no_room_is_not_kept() -> None:
    cache = Cache(CPU, budget=3 * 4 * 3 * 4 * 10, files=False)
    files = len(mapped_files())
    kept = [cache.fill(*brightness_of(images(10))) is not None for _ in range(4)]
    assert kept == [True, True, True, False]
    assert len(mapped_files()) == files


def test_only_a_cpu_keeps_activations_in_files() -> None:
    # Of CaffeNet's first block alone the paper's largest split has 278 GB, more than a node's temporary folder.
    assert (Cache(CPU).files, Cache(torch.device("cuda")).files) == (True, False)


def test_a_file_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    table = Cache(CPU, 0).fill(*brightness_of(images(9)))
    assert len(mapped_files()) == 1
    assert list(tmp_path.iterdir()) == []
    del table
    assert mapped_files() == []


def test_a_full_disk_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match=r"do not fit into .*No space left on device.*solver\.views"):
        Cache(CPU, 0).fill(*brightness_of(images(9)))


def test_a_gpu_without_room_for_so_many_images_at_once_takes_half(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[int] = []

    def compute(indices: Tensor) -> Tensor:
        asked.append(len(indices))
        if len(indices) > 70:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return indices.float().unsqueeze(1)

    cache = Cache(CPU)
    table = cache.fill(compute, images(200))
    assert table is not None
    assert torch.equal(table.values.squeeze(1), torch.arange(200.0))
    assert asked == [200, 125, 62, 62, 62, 14]
    assert len(list(cache.in_chunks(compute, images(100)))) == 2
    assert "goes on with 62 images at once" in caplog.text


def test_a_gpu_without_room_for_a_few_images_is_too_small() -> None:
    def compute(_: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        Cache(CPU).fill(compute, images(200))


def test_half_precision_takes_half_and_rounds() -> None:
    pictures = images(20)
    whole, half = (Cache(CPU, 1e6, half=half).fill(*brightness_of(pictures)) for half in (False, True))
    assert half.values.nbytes * 2 == whole.values.nbytes
    taken = half.take(torch.arange(20))
    assert taken.dtype == torch.float32
    assert not torch.equal(taken, whole.take(torch.arange(20)))
    torch.testing.assert_close(taken, whole.take(torch.arange(20)), rtol=2**-11, atol=0)


def test_the_budget_is_the_configs_or_half_of_the_jobs() -> None:
    assert memory_budget(Machine(memory_mb=10), CPU, 4000) == 10 * 2**20
    assert memory_budget(Machine(memory_mb=0), CPU, 4000) == 0
    assert memory_budget(Machine(), CPU, 4000) == 2000 * 2**20
