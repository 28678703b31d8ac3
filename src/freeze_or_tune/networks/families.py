"""Families of networks cut into numbered blocks (docs/networks.md): timm's own modules, chained; none is written anew
but pooling that a GPU could not repeat.

The last layer is always named `classifier`; what stands between the last stage and it (norm, pooling, dropout) belongs
to block L-1, whose output is then the features.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise

from timm.models.convnext import ConvNeXt
from timm.models.efficientnet import EfficientNet
from timm.models.resnet import ResNet
from timm.models.swin_transformer import SwinTransformer
from timm.models.vgg import VGG
from timm.models.vision_transformer import VisionTransformer, global_pool_nlc
from torch import Tensor, nn
from torchvision.models import AlexNet

from freeze_or_tune.networks.pooling import AveragePool
from freeze_or_tune.system.errors import UserError

Blocks = list[dict[str, nn.Module]]


def blocks_of(model: nn.Module) -> Blocks:
    """Cut a network into blocks, reusing (and taking apart) its modules; UserError for families that we do not know."""
    cut = _CUTS.get(type(model))
    if cut is None:
        families = ", ".join(family.__name__ for family in _CUTS)
        raise UserError(f"networks of class {type(model).__name__} cannot be cut into blocks; these can: {families}")
    return cut(model)


def _alexnet(model: AlexNet) -> Blocks:
    convolutions = model.features
    drop6, fc6, relu6, drop7, fc7, relu7, fc8 = model.classifier
    return [
        {"conv1": convolutions[0:3]},
        {"conv2": convolutions[3:6]},
        {"conv3": convolutions[6:8]},
        {"conv4": convolutions[8:10]},
        {"conv5": convolutions[10:13], "pool": AveragePool(6), "flatten": nn.Flatten()},
        {"drop6": drop6, "fc6": fc6, "relu6": relu6},
        {"drop7": drop7, "fc7": fc7, "relu7": relu7},
        {"classifier": fc8},
    ]


def _vgg(model: VGG) -> Blocks:
    # Where stages end: their max pools.
    ends = [0, *(i + 1 for i, layer in enumerate(model.features) if isinstance(layer, nn.MaxPool2d))]
    top, head = model.pre_logits, model.head
    drop6, fc7, relu7 = (without(top, part) for part in ("drop", "fc2", "act2"))
    return [
        *_numbered("conv", (model.features[a:b] for a, b in pairwise(ends))),
        {"pool6": AveragePool(top.input_kernel_size, at_least=True), "fc6": top, "drop6": drop6},
        {"fc7": fc7, "relu7": relu7, "pool": head.global_pool, "drop7": head.drop},
        {"classifier": head.fc},
    ]


def _resnet(model: ResNet) -> Blocks:
    return [
        {"conv1": model.conv1, "bn1": model.bn1, "act1": model.act1, "maxpool": model.maxpool},
        {"layer1": model.layer1},
        {"layer2": model.layer2},
        {"layer3": model.layer3},
        {"layer4": model.layer4, "pool": model.global_pool, "drop": nn.Dropout(model.drop_rate)},
        {"classifier": model.fc},
    ]


def _efficientnet(model: EfficientNet) -> Blocks:
    return [
        {"conv_stem": model.conv_stem, "bn1": model.bn1},
        *_numbered("stage", model.blocks),
        {
            "conv_head": model.conv_head, "bn2": model.bn2, "pool": model.global_pool,
            "drop": nn.Dropout(model.drop_rate),
        },
        {"classifier": model.classifier},
    ]  # fmt: skip


def _convnext(model: ConvNeXt) -> Blocks:
    classifier = without(model.head, "fc")
    return _staged({"stem": model.stem}, model.stages, {"norm": model.norm_pre, "head": model.head}, classifier)


def _swin(model: SwinTransformer) -> Blocks:
    classifier = without(model.head, "fc")
    return _staged({"stem": model.patch_embed}, model.layers, {"norm": model.norm, "head": model.head}, classifier)


def _vit(model: VisionTransformer) -> Blocks:
    encoder, classifier = without(model, "blocks"), without(model, "head")
    top = {
        "norm": without(model, "norm"), "pool": TokenPool(model),
        "fc_norm": without(model, "fc_norm"), "drop": without(model, "head_drop"),
    }  # fmt: skip
    # What is left of the model turns an image into tokens.
    model.attn_pool, model.global_pool = None, ""  # type: ignore[assignment]
    return _staged({"embed": model}, encoder, top, classifier)


def _staged(stem: dict[str, nn.Module], stages: nn.Module, top: dict[str, nn.Module], classifier: nn.Module) -> Blocks:
    *lower, last = _numbered("stage", stages.children())
    return [stem, *lower, {**last, **top}, {"classifier": classifier}]


def _numbered(name: str, layers: Iterable[nn.Module]) -> Blocks:
    return [{f"{name}{number}": layer} for number, layer in enumerate(layers, start=1)]


_CUTS: dict[type[nn.Module], Callable[..., Blocks]] = {
    AlexNet: _alexnet,
    VGG: _vgg,
    ResNet: _resnet,
    EfficientNet: _efficientnet,
    ConvNeXt: _convnext,
    VisionTransformer: _vit,
    SwinTransformer: _swin,
}

CHANNELS_LAST = (VisionTransformer, SwinTransformer)
"""Families whose blocks pass on tokens or places with their channels last."""


def without(model: nn.Module, part: str) -> nn.Module:
    """Take a part out of a model, which then passes its input through there."""
    taken: nn.Module = getattr(model, part)
    setattr(model, part, nn.Identity())
    return taken


class TokenPool(nn.Module):
    """How a vision transformer makes one vector of its tokens: [B, N, D] to [B, D]."""

    def __init__(self, model: VisionTransformer) -> None:
        """Pool as `model` does."""
        super().__init__()
        self.attention: nn.Module | None = model.attn_pool
        self.kind = model.global_pool
        self.prefix_tokens = model.num_prefix_tokens
        self.include_prefix = model.pool_include_prefix

    def forward(self, x: Tensor) -> Tensor:
        """Pool the tokens of a batch."""
        if self.attention is not None:
            return self.attention(x if self.include_prefix else x[:, self.prefix_tokens :])
        return global_pool_nlc(
            x, pool_type=self.kind, num_prefix_tokens=self.prefix_tokens, reduce_include_prefix=self.include_prefix
        )
