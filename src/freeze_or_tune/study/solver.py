"""How networks are trained: the solver, and the candidates that a search tries. Pure Python, like `study.py`."""

from itertools import product
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.strict import Strict

Method = Literal["sgd", "adamw"]
METHODS: tuple[Method, ...] = get_args(Method)
Precision = Literal["fp32", "tf32", "bf16"]
Rule = Literal["validation", "average", "transfer", "shrinkage"]
"""How a candidate is chosen, see analysis/results/choosing.py."""
Fraction = Annotated[float, Field(gt=0, lt=1)]


def _later(default: object, description: str) -> Any:
    """A key that solvers did not always have: at its default it is no setting, and what was made before stays valid."""
    return Field(default, description=description, exclude_if=lambda value: value == default)


class Candidate(NamedTuple):
    """What distinguishes the candidates of a search: they learn by steps, or (with a `c`) are solved at once."""

    learning_rate: float | None = None
    weight_decay: float | None = None
    copied_rate: float | None = None
    c: float | None = None
    method: Method | None = None
    """None: the solver's own."""


def kept(candidates: int) -> int:
    """How many of several candidates go on after a halving: the better half, of three one."""
    return max(1, candidates // 2) if candidates else 0


class Grid(Strict):
    """Values that a search tries, each with each; what is not named stays the solver's."""

    learning_rate: tuple[PositiveFloat, ...] | None = Field(None, min_length=1, description="rates of new layers")
    weight_decay: tuple[NonNegativeFloat, ...] | None = Field(None, min_length=1)

    def candidates(self, own: Candidate, method: Method | None = None) -> list[Candidate]:
        """Each value with each, of one method; `own` has those that are not named."""
        values = product(self.learning_rate or own[:1], self.weight_decay or own[1:2], self._copied_rates(own))
        return [Candidate(*one, method=method) for one in values]

    def _copied_rates(self, own: Candidate) -> tuple[float | None, ...]:
        return (own.copied_rate,)


class CopiedGrid(Grid):
    """Where copied layers learn, too, their rate is another dimension."""

    copied_rate: tuple[PositiveFloat, ...] | None = Field(
        None, min_length=1, description="rates of copied layers relative to new ones"
    )

    def _copied_rates(self, own: Candidate) -> tuple[float | None, ...]:
        return self.copied_rate or (own.copied_rate,)


def _beside(method: Method) -> Any:
    return _later(None, f"candidates trained with {method}, where that is not the solver's method, beside the others")


class FrozenGrid(Grid):
    """Where the classifier is all that learns it can also be solved for, which is a candidate more for each C."""

    c: tuple[PositiveFloat, ...] | None = Field(
        None, min_length=1, description="C of logistic regressions on the standardised features, where only the last "
        "block is new",
    )  # fmt: skip
    sgd: Grid | None = _beside("sgd")
    adamw: Grid | None = _beside("adamw")


class TunedGrid(CopiedGrid):
    """Of schemes that tune what they copy."""

    sgd: CopiedGrid | None = _beside("sgd")
    adamw: CopiedGrid | None = _beside("adamw")


class Search(Strict):
    """Candidates of one experiment: the solver's own rate and decay, and all of a grid, by the scheme's mode."""

    frozen: FrozenGrid = Field(FrozenGrid(), description="of schemes that freeze what they copy")
    tuned: TunedGrid = Field(TunedGrid(), description="of schemes that tune what they copy")
    halvings: tuple[Fraction, ...] = Field(
        (0.1, 0.3),
        description="after these fractions of a run the worse half of the candidates on validation stops (of three, "
        "two); never the solver's own, and not where new fully connected layers are all that learns: those train in "
        "one pass",
    )
    rule: Rule = Field(
        "average",
        exclude=True,
        description="what stands for a run in tables and figures, chosen by validation images alone; changing it "
        "trains nothing anew",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if list(self.halvings) != sorted(set(self.halvings)):
            raise ValueError(f"halvings {list(self.halvings)} must rise")
        if not any(grid.model_fields_set for grid in (self.frozen, self.tuned)):
            raise ValueError(
                "there is nothing to search: give frozen a grid of learning_rate, weight_decay or c, or tuned one of "
                "learning_rate, weight_decay or copied_rate"
            )
        for name, values in self.beside():
            if values.learning_rate is None:
                raise ValueError(f"{name} needs learning_rate: the solver's is that of another method")
        return self

    def beside(self) -> list[tuple[str, Grid]]:
        """The grids of methods that are not the solver's, by the end of their key."""
        found = [
            (f"{mode}.{method}", getattr(grid, method))
            for mode, grid in (("frozen", self.frozen), ("tuned", self.tuned))
            for method in METHODS
        ]
        return [(name, values) for name, values in found if values is not None]


class Solver(Strict):
    """Caffe's SGD with a step schedule (facts of the reference solver: docs/deviations.md), or AdamW."""

    method: Method = _later("sgd", "sgd: Caffe's; adamw: Adam with decoupled decay (Loshchilov and Hutter 2019)")
    learning_rate: PositiveFloat = Field(0.01, description="rate of randomly initialised layers")
    copied_rate: NonNegativeFloat = Field(
        0.2, description="rate of copied, tuned layers relative to new ones (the paper: 0.2)"
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="of sgd; adamw has 0.9 and 0.999")
    weight_decay: NonNegativeFloat = 0.0005
    batch: PositiveInt = Field(50, description="images an iteration")
    epochs: PositiveInt = Field(20, description="passes over the training images, within the two bounds below")
    min_iterations: PositiveInt = Field(200, description="small splits train at least this long")
    max_iterations: PositiveInt = Field(30_000, description="large splits train at most this long")
    schedule: Literal["steps", "cosine"] = _later(
        "steps", "of the rate: steps drop it by gamma, cosine lets it fall to 0 (Loshchilov and Hutter 2017)"
    )
    warm_up: Annotated[float, Field(ge=0, lt=1)] = _later(0.0, "the rate rises linearly during this fraction of a run")
    clip: PositiveFloat | None = _later(None, "gradients are scaled to this norm at most")
    drops: tuple[Fraction, ...] = Field((0.7, 0.9), description="the rate drops after these fractions of the run")
    gamma: Fraction = Field(0.1, description="factor of each drop")
    evaluations: PositiveInt = Field(
        10, description="how often validation accuracy is measured; the best iteration is kept"
    )
    mirror: bool = Field(True, description="mirror half of the training crops")
    views: NonNegativeInt = Field(
        8, description="augmented views an image whose frozen prefix is cached; 0 computes the prefix anew each time"
    )
    half_cache: bool = Field(False, description="cache the frozen prefix in half precision")
    frozen_dropout: bool = Field(True, description="dropout stays active in frozen blocks, as in Caffe")
    precision: Precision = Field("fp32", description="of multiplications; tf32 and bf16 are for devices that have them")
    c: PositiveFloat | None = _later(
        None, "solve for the classifier, where it is all that learns, as a logistic regression of this C, without steps"
    )
    search: Search | None = _later(None, "try several rates and decays; absent: the one of above")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_iterations > self.max_iterations:
            raise ValueError(f"min_iterations {self.min_iterations} is more than max_iterations {self.max_iterations}")
        if list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"drops {list(self.drops)} must rise")
        if self.search and self.c is not None:
            raise ValueError("c: a search tries several in search.frozen.c; here it is for a solver without one")
        for name, _ in self.search.beside() if self.search else ():
            mode, method = name.split(".")
            if method == self.method:
                raise ValueError(
                    f"search.{name}: {method} is the solver's own method; its values belong to search.{mode}"
                )
        return self

    def iterations(self, images: int) -> int:
        """How many iterations a run on so many training images takes."""
        wanted = -(-images * self.epochs // self.batch)
        return min(max(wanted, self.min_iterations), self.max_iterations)

    def candidates(self, scheme: Scheme) -> tuple[Candidate, ...]:
        """What a run of a scheme tries: the solver's own rate and decay first, then the grid of its mode.

        Those with a `c` come last.
        """
        tuned = scheme.tuned > 0
        solvable = not tuned and scheme.depth == 1
        own = Candidate(self.learning_rate, self.weight_decay, self.copied_rate if tuned else None)
        if self.c is not None and solvable:
            own = Candidate(c=self.c)
        if self.search is None:
            return (own,)
        grid = self.search.tuned if tuned else self.search.frozen
        found = [own, *grid.candidates(own)]
        for method in METHODS:
            if (beside := getattr(grid, method)) is not None:
                found += beside.candidates(own, method)
        if solvable:
            found += [Candidate(c=c) for c in self.search.frozen.c or ()]
        return tuple(dict.fromkeys(found))

    def alone(self, candidate: Candidate) -> "Solver":
        """This solver with nothing to choose: it trains as the candidate was, and looks at validation at the end."""
        if candidate.c is not None:
            return self.model_copy(update={"search": None, "evaluations": 1, "c": candidate.c})
        own = {name: value for name, value in candidate._asdict().items() if value is not None}
        return self.model_copy(update={"search": None, "evaluations": 1, "c": None, **own})

    @property
    def cs(self) -> tuple[float, ...]:
        """C of the logistic regressions that a scheme may start from (variant p); validation chooses."""
        searched = self.search.frozen.c if self.search else None
        return searched or (self.c or 1.0,)

    def method_of(self, candidate: Candidate) -> Method:
        """How a candidate that learns by steps is trained."""
        return candidate.method or self.method

    def lanes(self, scheme: Scheme) -> float:
        """How many candidates learn at a time, on average over a run in which all halvings take place."""
        alive, total, before = len(self.stepped(scheme)), 0.0, 0.0
        for fraction in self.search.halvings if self.search else ():
            total += alive * (fraction - before)
            alive, before = 1 + kept(alive - 1), fraction
        return total + alive * (1 - before)

    def stepped(self, scheme: Scheme) -> tuple[Candidate, ...]:
        """The candidates that learn by steps."""
        return tuple(one for one in self.candidates(scheme) if one.c is None)
