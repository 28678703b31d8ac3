from dataclasses import replace

import pytest
import torch

from freeze_or_tune.training.images import rows

from .small import images, streamed

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_streamed_images_are_rows_of_a_store_in_bgr() -> None:
    pictures = images(8)
    ours = streamed(pictures)
    assert len(ours) == 8
    for indices in (torch.tensor([1, 1, 0]), torch.tensor([2])):
        assert torch.equal(ours.take(indices), pictures.pixels[indices])
        assert torch.equal(ours.labels_of(indices), pictures.labels[indices])


def test_the_order_of_all_images_within_another_order() -> None:
    """As where a view is cached in the middle of a run."""
    pictures = images(40)
    ours, batches, all_of_them = streamed(pictures), torch.arange(40).flip(0).split(3), torch.arange(40).split(7)
    for one in (ours, pictures):
        with one.ahead(batches):
            for number, batch in enumerate(batches):
                assert torch.equal(one.take(batch), pictures.pixels[batch])
                if number == 5:
                    with one.ahead(all_of_them):
                        assert all(torch.equal(one.take(part), pictures.pixels[part]) for part in all_of_them)
    assert torch.equal(ours.take(batches[2]), pictures.pixels[batches[2]])


@gpu
def test_rows_in_host_memory_come_to_the_gpu() -> None:
    table, indices = torch.arange(60.0).view(12, 5), torch.tensor([3, 0, 11])
    taken = rows(table, indices, torch.device("cuda"))
    assert taken.device.type == "cuda"
    assert torch.equal(taken.cpu(), table[indices])


@gpu
def test_streamed_images_come_to_the_gpu() -> None:
    pictures = images(40)
    ours, parts = streamed(replace(pictures, labels=pictures.labels.cuda())), torch.arange(40).split(3)
    with ours.ahead(parts):
        for part in parts:
            taken = ours.take(part)
            assert taken.is_cuda
            assert torch.equal(taken.cpu(), pictures.pixels[part])
