"""The networks of a run's candidates, which learn from the same batches: side by side, or as one wider network.

Where the layers that learn are fully connected (and ReLU and dropout between them) the candidates' weights stand in one
tensor: K times the classes in the first layer, a batched product in the others. Any other candidates are networks of
their own. All see the same crops and the same dropout as if each were alone.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from freeze_or_tune.networks.layered import Layered
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.solver import Candidate, Solver
from freeze_or_tune.training.prefix import HeldOut
from freeze_or_tune.training.solver import Learnable, gradients_of, learnables


class Learners(Protocol):
    """The candidates of a run, numbered from 0."""

    network: Layered
    """The first candidate's, with the frozen part that all share."""
    stops: bool
    """Whether a candidate that is stopped saves time."""

    def parameters(self, candidate: int, values: Candidate) -> dict[str, Learnable]:
        """What a candidate of these values learns."""

    def learnt(self, candidate: int) -> dict[str, Tensor]:
        """All that training changes of a candidate, by name; its own tensors."""

    def losses(self, inputs: Tensor, labels: Tensor, start: int, alive: Sequence[int]) -> list[Tensor]:
        """Mean cross-entropy of each candidate that is alive for inputs of layer `start`; leaves gradients."""

    def gradients(self, candidate: int) -> dict[str, Tensor]:
        """The gradients that the losses left, by name."""

    def logits(self, held_out: HeldOut, alive: Sequence[int]) -> Tensor:
        """Of some candidates for held-out images [A, N, classes]."""

    def logits_with(self, held_out: HeldOut, learnt: Sequence[dict[str, Tensor]]) -> Tensor:
        """Of each candidate [K, N, classes] with what it had learnt before; `network` is left with any of them."""

    def train(self) -> None:
        """Go back to learning."""

    def stop(self, candidate: int) -> None:
        """Keep a candidate as it is, in as little memory as can be."""


def learners(make: Callable[[], Layered], scheme: Scheme, solver: Solver) -> Learners:
    """The candidates of a run, each of which `make` makes the same."""
    network, count = make(), len(solver.stepped(scheme))
    network.freeze(scheme.frozen, scheme.settled)
    if count > 1 and _stackable(network) and "b" not in scheme.variant:
        return Stack(network, scheme, solver, count)
    return Replicas([network, *(make() for _ in range(count - 1))], scheme, solver)


def _learning_layers(network: Layered) -> dict[str, nn.Module]:
    return dict(list(network.named_children())[network.first_layer(network.frozen + 1) :])


def _stackable(network: Layered) -> bool:
    layers = list(_learning_layers(network).values())
    return isinstance(layers[0], nn.Linear) and all(isinstance(one, nn.Linear | nn.ReLU | nn.Dropout) for one in layers)


class Replicas:
    """A network for each candidate."""

    stops = True

    def __init__(self, networks: list[Layered], scheme: Scheme, solver: Solver) -> None:
        """Freeze in each network what the scheme freezes."""
        self.network = networks[0]
        self._networks: dict[int, Layered] = dict(enumerate(networks))
        self._scheme, self._solver = scheme, solver
        self._parameters: dict[int, dict[str, Learnable]] = {}
        for one in networks:
            one.freeze(scheme.frozen, scheme.settled)

    def parameters(self, candidate: int, values: Candidate) -> dict[str, Learnable]:  # noqa: D102 - Learners says
        found = learnables(self._networks[candidate], self._scheme, self._solver, values)
        self._parameters[candidate] = found
        return found

    def learnt(self, candidate: int) -> dict[str, Tensor]:  # noqa: D102
        return self._networks[candidate].learnt()

    def losses(self, inputs: Tensor, labels: Tensor, start: int, alive: Sequence[int]) -> list[Tensor]:  # noqa: D102
        found: list[Tensor] = []
        random = _Random() if len(alive) > 1 else None
        for number in alive:
            if random and found:
                random.restore()
            loss = F.cross_entropy(self._networks[number](inputs, start=start).float(), labels)
            loss.backward()
            found.append(loss.detach())
        return found

    def gradients(self, candidate: int) -> dict[str, Tensor]:  # noqa: D102
        return gradients_of(self._parameters[candidate])

    def logits(self, held_out: HeldOut, alive: Sequence[int]) -> Tensor:  # noqa: D102
        return torch.stack([held_out.predictions(self._networks[number]) for number in alive])

    def logits_with(self, held_out: HeldOut, learnt: Sequence[dict[str, Tensor]]) -> Tensor:  # noqa: D102
        found = []
        for values in learnt:
            self.network.load_state_dict(values, strict=False)
            found.append(held_out.predictions(self.network))
        return torch.stack(found)

    def train(self) -> None:  # noqa: D102
        for one in self._networks.values():
            one.train()

    def stop(self, candidate: int) -> None:  # noqa: D102
        del self._networks[candidate], self._parameters[candidate]


class _Random:
    """Where torch's random numbers are: each candidate's dropout starts there."""

    def __init__(self) -> None:
        self._cpu = torch.get_rng_state()
        self._gpu = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None

    def restore(self) -> None:
        torch.set_rng_state(self._cpu)
        if self._gpu is not None:
            torch.cuda.set_rng_state(self._gpu)


class Stack:
    """Fully connected layers of all candidates: weights [K, outputs, inputs], biases [K, outputs]."""

    stops = False

    def __init__(self, network: Layered, scheme: Scheme, solver: Solver, count: int) -> None:
        """Freeze what the scheme freezes; each candidate starts as `network` is."""
        self.network, self.count = network, count
        self._first = network.first_layer(network.frozen + 1)
        self._layers = _learning_layers(network)
        self._scheme, self._solver = scheme, solver
        self._stacked = {
            name: one.value.detach().expand(count, *one.value.shape).clone().requires_grad_()
            for name, one in learnables(network, scheme, solver).items()
        }
        self._gradients: dict[str, tuple[Tensor, ...]] = {}

    def parameters(self, candidate: int, values: Candidate) -> dict[str, Learnable]:  # noqa: D102
        return {
            name: Learnable(self._stacked[name].detach()[candidate], one.rate, one.decays)
            for name, one in learnables(self.network, self._scheme, self._solver, values).items()
        }

    def learnt(self, candidate: int) -> dict[str, Tensor]:  # noqa: D102
        return {name: values.detach()[candidate] for name, values in self._stacked.items()}

    def losses(self, inputs: Tensor, labels: Tensor, start: int, alive: Sequence[int]) -> list[Tensor]:  # noqa: D102 - it starts where it learns
        logits = self._of_all(inputs).float()
        each = F.cross_entropy(logits.flatten(0, 1), labels.repeat(self.count), reduction="none")
        losses = each.view(self.count, -1).mean(1)
        losses.sum().backward()
        for name, values in self._stacked.items():
            assert values.grad is not None
            self._gradients[name] = values.grad.unbind()
            values.grad = None
        found = losses.detach().unbind()
        return [found[number] for number in alive]

    def gradients(self, candidate: int) -> dict[str, Tensor]:  # noqa: D102
        return {name: values[candidate] for name, values in self._gradients.items()}

    def logits(self, held_out: HeldOut, alive: Sequence[int]) -> Tensor:  # noqa: D102
        return held_out.predictions(self)[list(alive)]

    def logits_with(self, held_out: HeldOut, learnt: Sequence[dict[str, Tensor]]) -> Tensor:  # noqa: D102
        self.count = len(learnt)
        self._stacked = {name: torch.stack([values[name] for values in learnt]) for name in self._stacked}
        return held_out.predictions(self)

    def train(self) -> None:  # noqa: D102
        self.network.train()

    def stop(self, candidate: int) -> None:  # noqa: D102 - all train in one pass, at no cost
        pass

    def eval(self) -> None:
        """Look only: no dropout."""
        self.network.eval()

    def __call__(self, x: Tensor, start: int) -> Tensor:
        """Logits [K, B, classes] of all candidates for inputs of layer `start`, a frozen one."""
        return self._of_all(self.network(x, start=start, stop=self._first))

    def _of_all(self, x: Tensor) -> Tensor:
        """[B, inputs], of all alike, to [K, B, outputs]."""
        for name, layer in self._layers.items():
            if isinstance(layer, nn.Linear):
                weight, bias = (self._stacked[f"{name}.{kind}"] for kind in ("weight", "bias"))
                if x.ndim == 2:
                    x = F.linear(x, weight.flatten(0, 1), bias.flatten())
                    x = x.unflatten(1, (self.count, -1)).transpose(0, 1)
                else:
                    x = torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))
            elif isinstance(layer, nn.Dropout):
                x = x * layer(x.new_ones(x.shape[-2:])) if layer.training and layer.p else x
            else:
                x = layer(x)
        return x
