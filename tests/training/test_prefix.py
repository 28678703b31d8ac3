import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.training.augment import Crops, Preprocessing
from freeze_or_tune.training.batches import data_order
from freeze_or_tune.training.cache import Cache
from freeze_or_tune.training.prefix import Prefix

from .small import CROP, images, network, preprocessing

CUT = 5  # blocks 1 and 2 of the network


@pytest.fixture
def crops(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Return the random views made so far, in order."""
    made: list[Tensor] = []
    real = Preprocessing.cut

    def cut(self: Preprocessing, scaled: Tensor, indices: Tensor, crops: Crops) -> Tensor:
        made.append(real(self, scaled, indices, crops))
        return made[-1]

    monkeypatch.setattr(Preprocessing, "cut", cut)
    return made


def prefix(frozen: Layered, count: int, views: int, cut: int = CUT, seed: int = 0) -> Prefix:
    return Prefix(frozen.eval(), cut, preprocessing(), images(count), views, seed)


def whole(net: Layered, inputs: Tensor) -> Tensor:
    """The first layers one by one, as a loop over modules."""
    for layer in list(net.children())[:CUT]:
        inputs = layer(inputs)
    return inputs.detach()


def generator(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_each_epoch_has_its_view_in_the_order_of_the_batch(crops: list[Tensor]) -> None:
    net = network()
    ours = prefix(net, count=3, views=2)
    expected_views = [0, 0, 0, 1, 1, 1, 0, 0], [0, 1, 1, 1, 0, 0, 0, 1]  # three images an epoch, eight a batch
    batches = list(data_order(3, 8, 2, seed=1))
    batch = [ours.batch(indices, epochs, generator()) for indices, epochs in batches]
    assert len(crops) == 2  # each view was made once
    assert not torch.equal(crops[0], crops[1])
    for outputs, (indices, _), views in zip(batch, batches, expected_views, strict=True):
        assert outputs.shape == (8, 36)
        for output, index, view in zip(outputs, indices.tolist(), views, strict=True):
            torch.testing.assert_close(output[None], whole(net, crops[view][index : index + 1]))


def test_cached_and_uncached_prefixes_give_the_tail_the_same_gradients(crops: list[Tensor]) -> None:
    ours = prefix(network(), count=9, views=3)
    indices, epochs = torch.tensor([4, 0, 8, 4, 1]), torch.tensor([0, 0, 0, 1, 1])
    cached = ours.batch(indices, epochs, generator())
    inputs = torch.stack([crops[epoch][index] for index, epoch in zip(indices, epochs, strict=True)])
    gradients = []
    for start, batch in ((CUT, cached), (0, inputs)):
        net = network(dropout=0)
        loss = F.cross_entropy(net(batch, start=start), ours.images.labels[indices])
        loss.backward()
        gradients.append([p.grad for _, p in net.parameters_of(range(3, 5))])
    assert len(gradients[0]) == 4
    for ours_, theirs in zip(*gradients, strict=True):
        assert theirs.abs().max() > 1e-4
        torch.testing.assert_close(ours_, theirs, rtol=1e-4, atol=1e-7)


def test_as_many_views_as_epochs_equals_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same views, views=0 and views=epochs agree batch by batch."""

    def upper_left(_: Preprocessing, count: int, size: int, generator: torch.Generator) -> Crops:
        return Crops(torch.zeros(2, count, 1, dtype=torch.int64), torch.zeros(count, 1, 1, 1, dtype=torch.bool))

    monkeypatch.setattr(Preprocessing, "draw", upper_left)
    net = network()
    cached, anew = prefix(net, 7, views=3), prefix(net, 7, views=0)
    for indices, epochs in data_order(7, 4, 5, seed=2):
        ours = cached.batch(indices, epochs, generator())
        torch.testing.assert_close(ours, anew.batch(indices, epochs, generator()))
        assert not ours.requires_grad


@pytest.mark.parametrize("cut", [0, CUT])
def test_new_crops_are_the_same_whether_scaled_images_are_kept_or_not(
    cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, net = images(300), network().eval()
    size = pictures.pixels.numel() * 4

    def batches(budget: float, most: int) -> tuple[list[Tensor], float]:
        monkeypatch.setattr("freeze_or_tune.training.prefix.SCALED", most)
        ours = Prefix(net, cut, preprocessing(), pictures, 0, 0, Cache(torch.device("cpu"), budget))
        order, random = data_order(300, 70, 8, seed=1), generator()
        return [ours.batch(indices, epochs, random) for indices, epochs in order], ours.cache.left

    kept, left = batches(size, size)
    assert left == 0
    for budget, most in [(size - 1, size), (size, size - 1)]:
        anew, left = batches(budget, most)
        assert left == budget
        assert all(map(torch.equal, kept, anew))


def test_views_follow_from_the_seed() -> None:
    indices, epochs = torch.arange(6), torch.full((6,), 3)
    net = network()
    first, again, other = (
        prefix(net, 6, views=8, seed=seed).batch(indices, epochs, generator(i)) for i, seed in enumerate((1, 1, 2))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_views_do_not_depend_on_the_order_they_are_asked_for() -> None:
    net, indices = network(), torch.arange(6)
    forwards, backwards = prefix(net, 6, views=2), prefix(net, 6, views=2)
    ours = [forwards.batch(indices, torch.full((6,), epoch), generator()) for epoch in (0, 1)]
    theirs = [backwards.batch(indices, torch.full((6,), epoch), generator()) for epoch in (1, 0)]
    assert torch.equal(ours[0], theirs[1])
    assert torch.equal(ours[1], theirs[0])


def test_no_views_are_computed_anew_each_time(crops: list[Tensor]) -> None:
    net = network()
    ours = prefix(net, count=6, views=0)
    indices, epochs, random = torch.tensor([5, 5, 0]), torch.zeros(3, dtype=torch.int64), generator()
    first, second = (ours.batch(indices, epochs, random) for _ in range(2))
    assert not torch.equal(first, second)
    for outputs, made in zip((first, second), crops, strict=True):
        assert len(made) == 3  # the batch, not all images
        torch.testing.assert_close(outputs, whole(net, made))


@pytest.mark.parametrize("views", [0, 4])
def test_without_a_prefix_the_crops_themselves_are_new_each_time(crops: list[Tensor], views: int) -> None:
    ours = prefix(network(), count=6, views=views, cut=0)
    indices, random = torch.tensor([3, 1]), generator()
    for turn in range(3):
        batch = ours.batch(indices, torch.zeros(2, dtype=torch.int64), random)
        assert batch.shape == (2, 3, CROP, CROP)
        assert torch.equal(batch, crops[turn])
    assert not torch.equal(crops[0], crops[1])


@pytest.mark.parametrize("cut", [0, 3, CUT, 7])
def test_held_out_predictions_are_a_plain_forward_pass(cut: int) -> None:
    frozen, trained = network(), network()
    with torch.no_grad():
        for _, parameter in trained.parameters_of(range(4, 5)):
            parameter.add_(0.3)  # what is beyond the prefix has been trained
    held_out = prefix(frozen, 2, views=1, cut=cut).held_out(images(8, seed=3))
    trained.train()
    for _ in range(2):  # the first pass must not spoil what the second starts from
        predictions = held_out.predictions(trained)
        assert not trained.training
        with torch.no_grad():
            expected = trained(preprocessing().centre_views(images(8, seed=3).pixels))
        torch.testing.assert_close(predictions, expected, rtol=1e-5, atol=1e-6)
    assert held_out.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


def test_a_view_of_many_images_is_whole(crops: list[Tensor]) -> None:
    net = network()
    outputs = prefix(net, count=260, views=1).batch(torch.arange(260), torch.zeros(260, dtype=torch.int64), generator())
    assert len(crops) == 2
    torch.testing.assert_close(outputs, whole(net, torch.cat(crops)))


@pytest.mark.parametrize("half", [False, True])
def test_views_without_room_have_the_same_crops(half: bool) -> None:
    net = network()
    ours, roomy = (
        Prefix(
            net.eval(), CUT, preprocessing(), images(260), 3, 0, Cache(torch.device("cpu"), budget, half, files=False)
        )
        for budget in (260 * 36 * (2 if half else 4), 1e9)  # one view fits, three do
    )
    for indices, epochs in data_order(260, 100, 8, seed=1):
        batch = ours.batch(indices, epochs, generator())
        torch.testing.assert_close(batch, roomy.batch(indices, epochs, generator()))
        assert batch.dtype == torch.float32
        assert not batch.requires_grad
    assert ours.cache.left == 0


@pytest.mark.parametrize("half", [False, True])
def test_held_out_predictions_are_the_same_without_room(half: bool) -> None:
    trained = network()
    predictions = [
        Prefix(network().eval(), CUT, preprocessing(), images(2), 1, 0, Cache(torch.device("cpu"), budget, half, False))
        .held_out(images(260, seed=3))
        .predictions(trained)
        for budget in (0, 1e9)
    ]
    torch.testing.assert_close(*predictions)
