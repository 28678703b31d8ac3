"""The networks of a study, as typed models. Pure Python, like `study.py`: how many blocks one has is known unbuilt."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, NonNegativeInt, PositiveFloat, PositiveInt, Tag, TypeAdapter, model_validator

from freeze_or_tune.study import named
from freeze_or_tune.study.strict import Strict

Probability = Annotated[float, Field(ge=0, lt=1)]
Channels = tuple[PositiveFloat, PositiveFloat, PositiveFloat]

# Beginnings of timm's names and the blocks that docs/networks.md counts: AlexNet's and VGG's are the paper's eight.
_FAMILIES = {
    r"alexnet|vgg\d": 8,
    r"(wide_|se|eca)?res(net|next)\d": 6,
    r"(tf_)?efficientnet_(b\d|lite\d)": 10,
    r"convnext(v2)?_|swin_(tiny|small|base|large)": 6,
    r"(vit|deit)_(tiny|small|medium|base)_": 14,
    r"(vit|deit)_large_": 26,
}

_ESTIMABLE = r"(tf_)?efficientnet_lite\d|mobilenetv2_"
"""Beginnings of the names whose features are a pooled ReLU after a batch norm (networks/batch_norm.py)."""
_WITHOUT_BATCH_NORMS = r"alexnet|vgg\d+$|convnext|swin_|(vit|deit)_"


def usual_blocks(name: str) -> int | None:
    """L of a network by its name, or None if neither its family's names nor timm's configuration tell."""
    by_family = next((blocks for start, blocks in _FAMILIES.items() if re.match(start, name)), None)
    if by_family is not None:
        return by_family
    known = named.find(name)
    return known and known.blocks


class _Cropped(Strict):
    image_size: PositiveInt = Field(description="images are warped to this many pixels a side (CaffeNet: 256)")
    crop: PositiveInt = Field(description="the network sees crops of this many pixels a side (CaffeNet: 227)")

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if self.crop > self.image_size:
            raise ValueError(f"crop {self.crop} is larger than image_size {self.image_size}")
        return self


class CaffeNet(_Cropped):
    """CaffeNet by its sizes; `networks/caffenet.py` says what they mean."""

    architecture: Literal["caffenet"] = "caffenet"
    channels: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt, PositiveInt] = Field(
        description="output channels of conv1-conv5 (CaffeNet: 96, 256, 384, 384, 256)"
    )
    features: PositiveInt = Field(description="outputs of fc6 and of fc7 (CaffeNet: 4096)")
    dropout: Probability = Field(0.5, description="after fc6 and fc7")
    scale: PositiveFloat = Field(1.0, description="factor of the pixels (0-255) after the mean is subtracted")
    filler: Literal["caffenet", "msra"] = Field(
        "caffenet", description="random weights: CaffeNet's fixed deviations, or Caffe's msra filler, sqrt(2 / fan-in)"
    )

    @property
    def blocks(self) -> int:
        """Number of blocks (layers with weights)."""
        return 8

    @property
    def bgr(self) -> bool:
        """Whether it sees blue first, as Caffe's networks do."""
        return True

    @property
    def estimable(self) -> bool:
        """Whether its source's mean features can be estimated without images: it has no batch norm."""
        return False

    @property
    def batch_norms(self) -> bool:
        """Whether its blocks have any."""
        return False

    @model_validator(mode="after")
    def _check(self) -> Self:
        odd = [count for count in self.channels if count % 2]
        if odd:
            raise ValueError(f"channels {odd}: each must be even, conv2, conv4 and conv5 have two groups")
        return self


class TimmNetwork(_Cropped):
    """A network of timm by its name (AlexNet: torchvision's); docs/networks.md numbers the blocks of each family."""

    architecture: Literal["timm"]
    name: str = Field(description="as timm lists it, e.g. resnet50, resnet50.a1_in1k, or alexnet")
    image_size: PositiveInt = Field(
        0, description="images are warped to it; 0: as timm's configuration of the name says"
    )
    crop: PositiveInt = Field(0, description="what the network sees; 0: as timm's configuration of the name says")
    blocks: NonNegativeInt = Field(0, description="number of blocks; 0: what its family usually has")
    dropout: Probability = Field(0.0, description="before the classifier (AlexNet, VGG: at both hidden layers)")
    drop_path: Probability = Field(0.0, description="stochastic depth: how often the last residual block is left out")
    mean: Channels | None = Field(None, description="of each channel, red first, 0-255; the network's own if absent")
    deviation: Channels | None = Field(None, description="of each channel, as above")

    @property
    def bgr(self) -> bool:
        """Whether it sees blue first."""
        return False

    @property
    def estimable(self) -> bool:
        """Whether its source's mean features can be estimated without images: a batch norm and its ReLU are last."""
        return re.match(_ESTIMABLE, self.name) is not None

    @property
    def batch_norms(self) -> bool:
        """Whether its blocks have any, as far as its name tells."""
        return re.match(_WITHOUT_BATCH_NORMS, self.name) is None

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        """Blocks and sizes that the name tells."""
        if not isinstance(values, dict) or not isinstance(values.get("name"), str):
            return values
        name, sizes = values["name"], (values.get("image_size", 0), values.get("crop", 0))
        if named.nearest_that_can_be_cut(name):
            raise ValueError(named.problem(name))
        if 0 in sizes and all(isinstance(size, int) for size in sizes):
            values = {**values, **_sized(name, *sizes)}
        if values.get("blocks"):
            return values
        blocks = usual_blocks(name)
        if blocks is None:
            raise ValueError(
                f"how many blocks {name!r} has is not known by its name; say it with `blocks` "
                f"(docs/networks.md; a wrong number is refused with the right one)"
            )
        return {**values, "blocks": blocks}


def _sized(name: str, image_size: int, crop: int) -> dict[str, int]:
    known = named.find(name)
    if known is None:
        raise ValueError(
            f"image_size and crop are missing, which timm's configuration tells only of its own names; "
            f"{named.problem(name)}"
        )
    return known.sizes(image_size, crop)


def _architecture(values: Any) -> Any:
    return values.get("architecture", "caffenet") if isinstance(values, dict) else getattr(values, "architecture", None)


Network = Annotated[
    Annotated[CaffeNet, Tag("caffenet")] | Annotated[TimmNetwork, Tag("timm")],
    Discriminator(
        _architecture,
        custom_error_type="architecture",
        custom_error_message="architecture must be 'caffenet' (the default) or 'timm'",
    ),
]


def network_of(values: Any) -> CaffeNet | TimmNetwork:
    """A network's settings from what a rule's params hold."""
    network: CaffeNet | TimmNetwork = TypeAdapter(Network).validate_python(values)
    return network
