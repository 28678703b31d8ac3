"""What is studied: the typed form of `config/*.yaml`. Pure Python: the Snakefile of every job imports it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from freeze_or_tune.study import named
from freeze_or_tune.study.backbones import CaffeNet, Network, TimmNetwork
from freeze_or_tune.study.datasets import Dataset
from freeze_or_tune.study.images import OwnImages, own_images
from freeze_or_tune.study.metrics import Metric
from freeze_or_tune.study.named import Named
from freeze_or_tune.study.schemes import Scheme, depths
from freeze_or_tune.study.settings import (
    Advising,
    Distances,
    Machine,
    Name,
    Notation,
    Source,
    SplitSettings,
    Target,
    TrainingSettings,
    Weights,
)
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.study.strict import Strict
from freeze_or_tune.system.errors import UserError


class Study(Strict):
    """A whole study: sources, targets, splits, schemes, solver and seeds."""

    name: Name = Field(description="stands in tables, figures and reports")
    results: str = Field("results", description="folder of all results of this study")
    seed: NonNegativeInt = Field(0, description="everything random is derived from this")
    runs: PositiveInt = Field(1, description="runs (seeds) of each experiment")
    keep_models: bool = Field(False, description="keep the network of each experiment beside its record")
    machine: Machine = Machine()
    datasets: dict[Name, Dataset]
    networks: dict[Name, Network]
    sources: dict[Name, Source]
    targets: dict[Name, Target]
    schemes: tuple[Notation, ...] = Field(min_length=1)
    solver: Solver = Solver()
    distances: Distances = Distances()
    advice: Advising = Advising()
    images: OwnImages | None = Field(
        None,
        description="your own images, under any name that no dataset has: --config images=PATH, or with what else "
        "`datasets` says of such",
    )
    network: str | None = Field(
        None,
        description="advice on your own images with this network alone, --config network=: timm's name of one, with "
        "timm's weights of that name, or a network or source of the study",
    )
    budget: NonNegativeFloat | None = Field(
        None,
        description="minutes that the race on your own images may take, --config budget=; 0: no race; by default some "
        "three, if a first round fits into them",
    )
    downloads: str | None = Field(
        None,
        description="another table of files of others than the one that ships with the workflow (docs/downloads.md)",
    )
    probes: bool = Field(
        False, description="probe each split's images block by block: what a forecast for other images learns from"
    )

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, config: Any) -> Any:
        return named.spelt_out(config) if isinstance(config, dict) else config

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [
            *self._unknown_names(),
            *self._impossible_splits(),
            *self._misfit_schemes(),
            *self._misfit_weights(),
            *self._metrics_without_images(),
            *self._averages_of_one(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unknown_names(self) -> list[str]:
        wanted: list[tuple[str, str, Mapping[str, Any]]] = [
            *((f"sources.{k}.dataset", s.dataset, self.datasets) for k, s in self.sources.items() if s.dataset),
            *((f"targets.{k}.dataset", t.dataset, self.datasets) for k, t in self.targets.items()),
            *((f"targets.{k}.source", t.source, self.sources) for k, t in self.targets.items()),
            *(("advice.sources", name, self.sources) for name in self.advice.sources or ()),
        ]
        unknown = [
            f"{key}: {name!r} is not one of {', '.join(known)}" for key, name, known in wanted if name not in known
        ]
        strange = [
            f"sources.{key}.network: {source.network!r} is not one of {', '.join(self.networks)}, and "
            f"{named.problem(source.network)}"
            for key, source in self.sources.items()
            if source.network not in self.networks
        ]
        twice = [f"targets.{name}: a source has this name too" for name in self.targets if name in self.sources]
        return unknown + strange + twice

    def _impossible_splits(self) -> list[str]:
        problems = []
        for key, split in self._largest_splits():
            held = getattr(self.datasets.get(split.dataset), "smallest_class", None)
            if held is not None and not split.enough and split.least > held:
                room = max(0, held - (split.least - split.n))
                advice = "even 1 is too much" if split.up_to else f"n may be {room} at most"
                problems.append(
                    f"{key}: {split.n} training + {split.val} validation + {split.test or 'some'} test images a class "
                    f"are more than the {held} of the smallest class of {split.dataset!r}; {advice}"
                )
        return problems

    def _largest_splits(self) -> list[tuple[str, SplitSettings]]:
        """The largest split of each source and target, under the key of its n; smaller ones are nested in it."""
        sources = [
            (f"sources.{k}.{'pretraining.n' if s.pretraining else 'sample'}", s.split(self.seed, max(s.n)))
            for k, s in self.sources.items()
            if s.dataset
        ]
        return sources + [(f"targets.{k}.n", t.split(self.seed, max(t.n))) for k, t in self.targets.items()]

    def _misfit_schemes(self) -> list[str]:
        problems = []
        for key, target in self.targets.items():
            source = self.sources.get(target.source)
            network = self.networks.get(source.network) if source else None
            for text in (target.schemes or self.schemes) if network else ():
                scheme = Scheme.parse(text)
                if "n" in scheme.variant and not network.batch_norms:  # type: ignore[union-attr]
                    problems.append(
                        f"schemes: {text} is for batch norms, of which the network of target {key!r} has none; "
                        f"{text.replace('n', '')} is the same without them"
                    )
                if scheme.blocks != network.blocks:  # type: ignore[union-attr]
                    problems.append(
                        f"schemes: {text} ends at block {scheme.blocks}, but the network of target "
                        f"{key!r} has {network.blocks} blocks"  # type: ignore[union-attr]
                    )
        return problems

    def _misfit_weights(self) -> list[str]:
        problems = []
        for key, source in self.sources.items():
            network = self.networks.get(source.network)
            caffe = isinstance(network, CaffeNet)
            if source.pretrained:
                problems += self._unfetchable(key, network)
            if isinstance(source.weights, Weights) and caffe and source.weights.mean is None:
                problems.append(f"sources.{key}.weights.mean is missing: the mean image that CaffeNet subtracts")
            if isinstance(source.weights, Weights) and not caffe and source.weights.mean:
                problems.append(f"sources.{key}.weights.mean: only CaffeNet has one; give timm's networks a `mean`")
        return problems

    def _unfetchable(self, source: str, network: Network | None) -> list[str]:
        if isinstance(network, CaffeNet):
            return [f"sources.{source}.weights: pretrained are timm's networks; name the files of CaffeNet's weights"]
        if network is None or named.find(network.name):
            return []
        return [f"sources.{source}.weights: {named.problem(network.name)}; name a file of its weights"]

    def _metrics_without_images(self) -> list[str]:
        problems = []
        for key in dict.fromkeys(target.source for target in self.targets.values()):
            source = self.sources.get(key)
            network = self.networks.get(source.network) if source else None
            if source is None or network is None or source.dataset:
                continue
            known = ["cosine", "mmd"] if source.mean_features else ["cosine"] if network.estimable else []
            if others := [metric for metric in self.distances.metrics if metric not in known]:
                problems.append(
                    f"distances.metrics: {', '.join(others)} cannot be measured from the source {key!r}, which has no "
                    f"dataset{'' if source.mean_features else ' and no mean_features'}; ask for "
                    f"{'[' + ', '.join(known) + ']' if known else '[], no distances,'} or say where its images are"
                )
        return problems

    def _averages_of_one(self) -> list[str]:
        search = self.solver.search
        if search is None or search.rule != "average":
            return []
        used = dict.fromkeys(scheme for name in self.targets for scheme in self.schemes_of(name))
        alone = [scheme for scheme in used if len(self.solver.candidates(Scheme.parse(scheme))) == 1]
        return [
            f"solver.search.rule: average needs two candidates or more, but {scheme} has one; give its mode a grid, or "
            "choose another rule"
            for scheme in alone[:1]
        ]

    def schemes_of(self, target: str) -> tuple[str, ...]:
        """The schemes tried on a target."""
        return self.target(target).schemes or self.schemes

    def target(self, name: str) -> Target:
        """A target by name; UserError lists the known ones."""
        return _known("target", name, self.targets)

    def source(self, name: str) -> Source:
        """A source by name; UserError lists the known ones."""
        return _known("source", name, self.sources)

    def dataset_of(self, name: str) -> str:
        """The dataset of a source or a target; UserError if it is a source without its images."""
        dataset = self.sources[name].dataset if name in self.sources else self.target(name).dataset
        if dataset is None:
            raise UserError(f"the source {name} has no dataset in this study")
        return dataset

    def users_of(self, dataset: str) -> list[str]:
        """The sources, then the targets, of a dataset."""
        self.dataset(dataset)
        users: dict[str, Source | Target] = {**self.sources, **self.targets}
        return [name for name, user in users.items() if user.dataset == dataset]

    def images_of(self) -> list[str]:
        """The sources whose images are here, then the targets."""
        return [*(name for name, source in self.sources.items() if source.dataset), *self.targets]

    def used_datasets(self) -> list[str]:
        """The datasets of sources and targets."""
        return [name for name in self.datasets if self.users_of(name)]

    def source_of(self, name: str) -> str:
        """The source of a target; a source is its own."""
        return name if name in self.sources else self.target(name).source

    def dataset(self, name: str) -> Dataset:
        """A dataset by name; any other name is that of the user's own images, if `images` says where they are."""
        if name not in self.datasets and self.images is not None:
            return own_images(name, self.images)
        return _known("dataset", name, self.datasets)

    def metric(self, name: str) -> Metric:
        """A metric of this study by name; UserError lists them."""
        return _known("metric", name, {metric: metric for metric in self.distances.metrics})

    def imported(self) -> dict[str, Weights]:
        """The sources whose weights others have trained, in files; timm's own in those that they are fetched to."""
        fetched = {name: Weights(file=known.file) for name, known in self.fetched.items()}
        files = {name: source.weights for name, source in self.sources.items() if isinstance(source.weights, Weights)}
        return {name: (files | fetched)[name] for name in self.sources if name in files | fetched}

    @cached_property
    def fetched(self) -> dict[str, Named]:
        """The sources with timm's own weights, and which: where the study has no tag, those that timm takes."""
        asked = {name: self.networks[source.network] for name, source in self.sources.items() if source.pretrained}
        return {name: named.known(network.name) for name, network in asked.items() if isinstance(network, TimmNetwork)}

    @property
    def assumed(self) -> dict[str, str]:
        """Names without a tag, and the networks that timm's own weights are fetched of for them."""
        pairs = ((self.networks[self.sources[name].network], known) for name, known in self.fetched.items())
        return {one.name: full.name for one, full in pairs if isinstance(one, TimmNetwork) and one.name != full.name}

    def network_of(self, source: str) -> Network:
        """The network of a source."""
        network = self.networks[self.source(source).network]
        fetched = self.fetched.get(source)
        return network.model_copy(update={"name": fetched.name}) if fetched else network

    def experiments(self) -> list[tuple[str, int, str]]:
        """All (target, n, scheme) of the study, in the order of the config."""
        return [(name, n, scheme) for name, t in self.targets.items() for n in t.n for scheme in self.schemes_of(name)]

    def split(self, name: str, n: int) -> SplitSettings:
        """Settings of a target's split, or (`name` a source) of its pretraining split or its sample."""
        user = self.sources[name] if name in self.sources else self.target(name)
        if n not in user.n:
            raise UserError(f"{name} has no split of {n} images a class; it has n = {', '.join(map(str, user.n))}")
        return user.split(self.seed, n)

    def splits_of_dataset(self, dataset: str) -> list[SplitSettings]:
        """The largest split of each source and target that uses a dataset, each way of drawing it once."""
        self.dataset(dataset)
        return self._splits_by_dataset.get(dataset, [])

    @cached_property
    def _splits_by_dataset(self) -> dict[str, list[SplitSettings]]:
        # Once for a study: of thousands of targets each asks for it.
        distinct = dict.fromkeys(split for _, split in self._largest_splits())
        return {name: [split for split in distinct if split.dataset == name] for name in self.datasets}

    def experiment(self, target: str, n: int, scheme: str) -> TrainingSettings:
        """Settings of one experiment; UserError lists what there is if it is not one of the study's."""
        if scheme not in self.schemes_of(target):
            raise UserError(f"{target} has no scheme {scheme}; it has {', '.join(self.schemes_of(target))}")
        source = self.targets[target].source
        return TrainingSettings(
            study=self.name, target=target, dataset=self.targets[target].dataset, source=source,
            network=self.network_of(source), split=self.split(target, n), scheme=scheme,
            seed=self.seed, runs=self.runs, solver=self.solver,
        )  # fmt: skip

    def advised_sources(self) -> tuple[str, ...]:
        """The sources that are weighed for one's own images."""
        return self.advice.sources or tuple(self.sources)

    def adaptations(self, dataset: str) -> list[TrainingSettings]:
        """What may be trained for one's own images: all blocks but the last of any source, tuned, frozen or between."""
        split = SplitSettings(dataset=dataset, seed=self.seed, n=0, val=0, test=0, pool="shares")
        return [
            TrainingSettings(
                study=self.name, target=dataset, dataset=dataset, source=source, network=self.network_of(source),
                split=split, scheme=str(scheme), seed=self.seed, runs=1, solver=self.advice.solver or self.solver,
            )
            for source in self.advised_sources()
            for scheme in depths(self.network_of(source).blocks)
        ]  # fmt: skip

    def pretraining(self, source: str) -> TrainingSettings:
        """Settings of a source's pretraining: an experiment that copies nothing."""
        chosen = self.source(source)
        if chosen.pretraining is None:
            raise UserError(f"the source {source} is not pretrained here: its weights are imported")
        network = self.network_of(source)
        return TrainingSettings(
            study=self.name, target=source, dataset=self.dataset_of(source), source=source,
            network=network, split=self.split(source, chosen.pretraining.n), scheme=f"R1-{network.blocks}",
            seed=self.seed, runs=1, solver=chosen.pretraining.solver,
        )  # fmt: skip


def _known(kind: str, name: str, known: dict[str, Any]) -> Any:
    if name not in known:
        raise UserError(f"{name!r} is not a {kind} of this study; its {kind}s are {', '.join(known)}")
    return known[name]
