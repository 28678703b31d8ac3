import numpy as np
import pytest
import torch
from torch import nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.solver import Solver

from .small import Optimised

ITERATIONS = 12


def chain() -> Layered:
    torch.manual_seed(0)
    return Layered([{f"fc{i}": nn.Linear(3, 3)} for i in range(1, 9)]).double()


def gradients(iteration: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(iteration)
    return {name: generator.normal(size=p.shape) for name, p in chain().named_parameters()}


def caffe(
    start: dict[str, np.ndarray], multipliers: dict[str, tuple[float, float]], rates: list[float], solver: Solver
) -> dict[str, np.ndarray]:
    """Parameters after a run of Caffe's solver: sgd_solver.cpp's Regularize, ComputeUpdateValue and Update."""
    weights = {name: value.copy() for name, value in start.items()}
    history = {name: np.zeros_like(value) for name, value in start.items()}
    for iteration, rate in enumerate(rates):
        diffs = gradients(iteration)
        for name, (lr_mult, decay_mult) in multipliers.items():
            diff = diffs[name] + solver.weight_decay * decay_mult * weights[name]
            history[name] = rate * lr_mult * diff + solver.momentum * history[name]
            weights[name] -= history[name]
    return weights


def ours(scheme: str, solver: Solver) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], Layered]:
    """Parameters before and after the same run, and the network."""
    network = chain()
    before = {name: p.detach().numpy().copy() for name, p in network.named_parameters()}
    optimiser = Optimised(network, scheme, solver, ITERATIONS)
    for iteration in range(ITERATIONS):
        for name, gradient in gradients(iteration).items():
            network.get_parameter(name).grad = torch.from_numpy(gradient)
        optimiser.step(iteration)
    return before, {name: p.detach().numpy() for name, p in network.named_parameters()}, network


def multipliers(copied: int, copied_rate: float) -> dict[str, tuple[float, float]]:
    """(lr_mult, decay_mult) of each parameter, as one would write them into a prototxt."""
    rates = {f"fc{i}": copied_rate if i <= copied else 1.0 for i in range(1, 9)}
    return {f"{fc}.weight": (rate, 1.0) for fc, rate in rates.items()} | {
        f"{fc}.bias": (2 * rate, 0.0) for fc, rate in rates.items()
    }


@pytest.mark.parametrize(
    ("scheme", "copied", "rate"),
    [("T1-5_R6-8", 5, 0.2), ("T1-7_R8", 7, 0.2), ("T1_R2-8", 1, 0.2), ("F1-5_R6-8", 5, 0.0), ("R1-8", 0, 1.0)],
)
def test_the_run_of_caffes_solver(scheme: str, copied: int, rate: float) -> None:
    solver = Solver(learning_rate=0.05, weight_decay=0.03, drops=(0.25, 0.5, 0.75), gamma=0.3)
    before, after, _ = ours(scheme, solver)
    rates = [0.05] * 3 + [0.05 * 0.3] * 3 + [0.05 * 0.3**2] * 3 + [0.05 * 0.3**3] * 3
    expected = caffe(before, multipliers(copied, rate), rates, solver)
    for name, value in after.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-12, err_msg=name)


def test_two_drops_at_one_iteration() -> None:
    solver = Solver(learning_rate=0.05, drops=(0.5, 0.51), gamma=0.3)
    before, after, _ = ours("R1-8", solver)
    expected = caffe(before, multipliers(0, 1), [0.05] * 6 + [0.05 * 0.09] * 6, solver)
    for name, value in after.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-12, err_msg=name)


def test_a_drop_before_the_first_iteration() -> None:
    solver = Solver(learning_rate=0.05, drops=(0.01, 0.5), gamma=0.3)
    before, after, _ = ours("R1-8", solver)
    expected = caffe(before, multipliers(0, 1), [0.05 * 0.3] * 6 + [0.05 * 0.09] * 6, solver)
    for name, value in after.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-12, err_msg=name)


def test_without_momentum() -> None:
    solver = Solver(learning_rate=0.05, momentum=0, weight_decay=0.03, drops=(0.5,), gamma=0.3)
    before, after, _ = ours("R1-8", solver)
    expected = caffe(before, multipliers(0, 1), [0.05] * 6 + [0.05 * 0.3] * 6, solver)
    for name, value in after.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-12, err_msg=name)


def test_the_copied_rate_is_the_configs() -> None:
    solver = Solver(learning_rate=0.05, copied_rate=0.7, drops=())
    before, after, _ = ours("T1-3_R4-8", solver)
    expected = caffe(before, multipliers(3, 0.7), [0.05] * 12, solver)
    for name, value in after.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-12, err_msg=name)


def test_frozen_blocks_do_not_move_by_a_bit() -> None:
    before, after, network = ours("F1-3_R4-8", Solver())
    for name, value in after.items():
        frozen = int(name[2]) <= 3
        assert (value.tobytes() == before[name].tobytes()) == frozen, name
        assert network.get_parameter(name).requires_grad != frozen, name


def test_gradients_are_cleared_after_a_step() -> None:
    *_, network = ours("T1-5_R6-8", Solver())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_layouts_of_convolutions_do_not_matter() -> None:
    def trained(memory_format: torch.memory_format) -> torch.Tensor:
        torch.manual_seed(0)
        network = Layered([{"conv1": nn.Conv2d(3, 4, 3)}, {"conv2": nn.Conv2d(4, 2, 3)}]).double()
        network = network.to(memory_format=memory_format)
        optimiser = Optimised(network, "T1_R2", Solver(learning_rate=0.001), ITERATIONS)
        images = torch.arange(2 * 3 * 6 * 6).view(2, 3, 6, 6).double().sin().to(memory_format=memory_format)
        for iteration in range(ITERATIONS):
            network(images).square().sum().backward()
            optimiser.step(iteration)
        return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])

    torch.testing.assert_close(trained(torch.channels_last), trained(torch.contiguous_format), rtol=0, atol=1e-12)


def by_torch(solver: Solver, clip: float | None) -> dict[str, np.ndarray]:
    """The same run with torch's AdamW, its schedulers and its clipping, as one writes it by hand."""
    network = chain()
    matrices = [p for name, p in network.named_parameters() if name.endswith(".weight")]
    others = [p for name, p in network.named_parameters() if not name.endswith(".weight")]
    groups = [{"params": matrices, "weight_decay": solver.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=solver.learning_rate)
    warm_up = round(solver.warm_up * ITERATIONS)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, ITERATIONS - warm_up)
    schedule: torch.optim.lr_scheduler.LRScheduler = cosine
    if warm_up:
        rising = torch.optim.lr_scheduler.LinearLR(optimiser, 1 / warm_up, 1, warm_up - 1)
        schedule = torch.optim.lr_scheduler.SequentialLR(optimiser, [rising, cosine], [warm_up])
    for iteration in range(ITERATIONS):
        for name, gradient in gradients(iteration).items():
            network.get_parameter(name).grad = torch.from_numpy(gradient)
        if clip:
            torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimiser.step()
        schedule.step()
    return {name: p.detach().numpy() for name, p in network.named_parameters()}


@pytest.mark.parametrize("clip", [None, 1.0, 1e3])
@pytest.mark.parametrize("warm_up", [0.0, 0.25])
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_the_run_of_torchs_adamw(clip: float | None, warm_up: float) -> None:
    solver = Solver(
        method="adamw", learning_rate=0.05, weight_decay=0.3, copied_rate=1, schedule="cosine", warm_up=warm_up,
        clip=clip,
    )  # fmt: skip
    _, after, _ = ours("T1-5_R6-8", solver)
    for name, value in by_torch(solver, clip).items():
        np.testing.assert_allclose(after[name], value, rtol=0, atol=1e-12, err_msg=name)


def test_adamws_copied_layers_learn_at_their_own_rate() -> None:
    solver = Solver(method="adamw", learning_rate=0.05, weight_decay=0, copied_rate=0.5, drops=())
    before, after, _ = ours("T1-7_R8", solver)
    whole = {"fc7.weight": 0.05 * 0.5, "fc8.weight": 0.05, "fc8.bias": 0.05, "fc7.bias": 0.05 * 0.5}
    _, first, _ = ours("T1-7_R8", solver.model_copy(update={"learning_rate": 1e-12}))
    for name, rate in whole.items():
        moved, least = np.abs(after[name] - before[name]).max(), np.abs(first[name] - before[name]).max()
        assert 0 < moved <= ITERATIONS * rate * 1.2, name  # Adam's steps are about as long as the rate
        assert least < 1e-9, name


def test_the_rate_rises_and_falls() -> None:
    optimiser = Optimised(chain(), "R1-8", Solver(learning_rate=1, schedule="cosine", warm_up=0.25), 8).optimiser
    rates = [optimiser.rate(iteration) for iteration in range(8)]
    assert rates[:3] == pytest.approx([0.5, 1, 1])
    assert rates[5] == pytest.approx(0.5)
    assert 0 < rates[7] < rates[6] < rates[5]
