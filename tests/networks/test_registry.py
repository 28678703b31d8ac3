"""The table that studies are checked against is what the installed timm knows."""

import pytest
import timm

from freeze_or_tune.networks.registry import blocks_by_name, named
from freeze_or_tune.networks.zoo import configuration
from freeze_or_tune.study.backbones import usual_blocks
from freeze_or_tune.study.named import find, table

SMALL = (
    "test_resnet",
    "test_vit",
    "mobilenetv2_100",
    "vgg11",
    "convnext_atto",
    "tf_efficientnet_lite0",
    "deit_tiny_patch16_224",
)


def test_each_row_is_timms_own() -> None:
    """Run `python -m freeze_or_tune.networks.registry` with another timm."""
    blocks = {name.partition(".")[0]: row.blocks for name, row in table().items()}
    assert [row for name, count in blocks.items() for row in named(name, count)] == list(table().values())


def test_a_name_without_a_tag_is_the_one_that_timm_takes() -> None:
    names = {name.partition(".")[0] for name in table()}
    assert {name: find(name).name.partition(".")[2] for name in names} == {  # type: ignore[union-attr]
        name: configuration(name).tag for name in names
    }


def test_what_is_missing_of_the_families_that_docs_list_cannot_be_cut() -> None:
    names = {name.partition(".")[0] for name in timm.list_pretrained()}
    missing = [name for name in names if usual_blocks(name) and find(name) is None]
    assert len(missing) < 50
    assert [name for name in missing if blocks_by_name(name)] == []


@pytest.mark.parametrize("name", SMALL)
def test_blocks_are_those_that_the_network_is_cut_into(name: str) -> None:
    found = find(name)
    assert found is not None
    assert blocks_by_name(name) == found.blocks


@pytest.mark.parametrize("name", ["densenet121", "regnetx_002", "deit_tiny_distilled_patch16_224"])
def test_what_cannot_be_cut_is_not_in_it(name: str) -> None:
    assert find(name) is None
    assert blocks_by_name(name) is None
