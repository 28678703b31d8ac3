import pytest
import torch
import yaml

from freeze_or_tune.stages.checkup import speed
from freeze_or_tune.stages.checkup.speed import Way, fastest, images_per_second, speeds, ways
from freeze_or_tune.stages.checkup.trials import Trial
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.study.solver import Solver

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
TRIAL = Trial("narrow", CaffeNet(channels=(8, 8, 8, 8, 8), features=16, image_size=64, crop=60), channels_last=True)
OWN, HALF = Way("fp32", True), Way("bf16", True)


@pytest.mark.parametrize(("half", "best"), [(101.0, OWN), (200.0, HALF), (50.0, OWN)])
def test_the_studys_own_way_is_kept_where_it_is_as_fast(half: float, best: Way) -> None:
    assert fastest({OWN: 100.0, HALF: half}, OWN) == best


def test_a_way_that_a_cpu_does_not_have_is_not_the_fastest() -> None:
    assert fastest({OWN: 100.0, HALF: 50.0}, Way("tf32", True)) == OWN


@pytest.mark.parametrize(("capability", "precisions"), [((7, 5), {"fp32"}), ((8, 0), {"fp32", "tf32", "bf16"})])
def test_what_hardware_has(capability: tuple[int, int], precisions: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert {way.precision for way in ways(CUDA)} == precisions
    assert len(ways(CUDA)) == 2 * len(precisions)
    assert {way.precision for way in ways(CPU)} == {"fp32", "bf16"}


def test_each_way_and_the_config_of_the_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        speed, "images_per_second", lambda trial, way, batch, device, threads: 200 if way == HALF else 100
    )
    found = {finding.name: finding.value for finding in speeds(TRIAL, Solver(batch=50), CPU, 1)}
    assert found == {
        "narrow, fp32": "100 images/s a core in batches of 25",
        "narrow, fp32, channels last": "100 images/s a core in batches of 25, as the study has it",
        "narrow, bf16": "100 images/s a core in batches of 25",
        "narrow, bf16, channels last": "200 images/s a core in batches of 25",
        "narrow, fastest": "machine: {channels_last: true}, solver: {precision: bf16}",
    }


@pytest.mark.parametrize("way", [Way("fp32", False), HALF], ids=str)
def test_steps_are_counted_for_a_while(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_SECONDS", 0.02)
    assert images_per_second(TRIAL, way, 4, CPU, 1) > 0


@pytest.mark.parametrize("way", [*ways(CPU), Way("tf32", False)], ids=str)
def test_the_lines_of_a_config_are_valid(way: Way) -> None:
    study = yaml.safe_load(f"{{{way.config}}}")
    assert Machine(**study["machine"]).channels_last == way.channels_last
    assert Solver(**study["solver"]).precision == way.precision
