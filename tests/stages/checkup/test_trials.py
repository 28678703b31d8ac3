from pathlib import Path

import pytest
import torch

from freeze_or_tune.stages.checkup.trials import SMALL, Trial, schemes, trials
from freeze_or_tune.study.backbones import CaffeNet, TimmNetwork
from freeze_or_tune.study.reading import read_study
from freeze_or_tune.study.study import Study

CONFIG = Path(__file__).parents[3] / "config"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def embedded() -> Study:
    return read_study(CONFIG / "config.yaml")


def test_small_networks_are_tried_as_they_are(embedded: Study) -> None:
    assert {trial.name: trial.network for trial in trials(embedded, CPU, full=False)} == embedded.networks


def test_a_small_one_stands_for_those_that_take_long_on_a_cpu() -> None:
    study = read_study(CONFIG / "paper.yaml")
    assert [trial.network for trial in trials(study, CPU, full=False)] == [SMALL]
    assert [trial.network for trial in trials(study, CPU, full=True)] == list(study.networks.values())
    assert [trial.network for trial in trials(study, torch.device("cuda"), full=False)] == [*study.networks.values()]


def test_the_stand_in_is_the_embedded_studys(embedded: Study) -> None:
    own = embedded.networks["caffenet-small"].model_dump(exclude={"dropout"})
    assert SMALL.model_dump(exclude={"dropout"}) == own


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (8, ["T1-7_R8", "F1-7_R8", "F1-5_T6-7_R8", "F1-5_R6-8"]),
        (10, ["T1-9_R10", "F1-9_R10", "F1-7_T8-9_R10", "F1-7_R8-10"]),
        (2, ["T1_R2", "F1_R2", "R1-2"]),
    ],
)
def test_kinds_of_schemes(blocks: int, expected: list[str]) -> None:
    assert [str(scheme) for scheme in schemes(blocks)] == expected


NARROW = CaffeNet(channels=(8, 8, 8, 8, 8), features=16, image_size=64, crop=60)
RESNET = TimmNetwork(architecture="timm", name="resnet18", image_size=40, crop=32, dropout=0.5, drop_path=0.5)


@pytest.mark.parametrize("network", [NARROW, RESNET], ids=["caffenet", "resnet18"])
def test_a_network_without_chance_computes_the_same_while_it_learns(network: CaffeNet | TimmNetwork) -> None:
    trial = Trial("it", network)
    views, labels = trial.views(4, CPU)
    assert views.shape == (4, 3, network.crop, network.crop)
    assert labels.tolist() == [0, 1, 2, 3]
    fixed, random = (trial.made(CPU, chance=chance).train() for chance in (False, True))
    assert torch.equal(fixed(views), fixed(views))
    assert not torch.equal(random(views), random(views))
    assert all(torch.equal(one, other) for one, other in zip(fixed.parameters(), random.parameters(), strict=True))


def test_other_seeds_are_other_images() -> None:
    trial = Trial("it", NARROW)
    one, again, other = (trial.views(4, CPU, seed)[0] for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
