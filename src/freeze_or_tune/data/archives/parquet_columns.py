"""Which columns of a parquet file hold the images and their classes: by their types, then by their names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import types

from freeze_or_tune.data.archives.packed import LABELS, chosen
from freeze_or_tune.system.errors import UserError

IMAGES = ("image", "img", "picture", "photo", "jpg", "jpeg", "png", "bytes")
_BYTES = "bytes"


@dataclass(frozen=True)
class Columns:
    """The columns that are read; `image` and `path` as parquet names what is nested, the others None if absent."""

    image: str
    path: str | None
    label: str
    split: str | None
    group: str | None
    classes: tuple[str, ...] = ()
    """Names of the numbers in `label`, if the file holds them."""


def columns_of(schema: pa.Schema, given: Mapping[str, str | int | None], where: Path) -> Columns:
    """Find them; `given` is what a person says of image, label, split and group. UserError shows what is there."""
    features = _features(schema)
    names = [name for name in schema.names if schema.names.count(name) == 1]
    fields = {name: schema.field(name).type for name in names}
    said = {what: _numbered(schema.names, name) for what, name in given.items() if name is not None}
    typed = [name for name in names if _kind(features, name) == "Image" and _holds_bytes(fields[name])]
    likely = [name for name in names if _holds_bytes(fields[name])]
    usual = [name for name in likely if name.lower() in IMAGES]
    there = [f"{name}: {fields[name]}"[:80] for name in names]
    image = _chosen(typed or usual[:1] or likely, said.get("image"), names, there, "image", where)
    if not _holds_bytes(fields[image]):
        raise UserError(
            f"{where}: the column {image!r} holds {str(fields[image])[:80]}, no files of images: it takes binary, or "
            "a struct of bytes and path, as the Hugging Face Hub's Image has it"
        )
    labels = [name for name in names if _kind(features, name) == "ClassLabel"]
    named = [name for name in names if name.lower() in LABELS and _is_class(fields[name])]
    several = [name for name in names if name.lower() in LABELS and _is_list(fields[name])]
    if several and not labels and not named and not said.get("label"):
        raise _several_labels(where, several[0])
    label = _chosen(labels or named, said.get("label"), names, there, "label", where)
    if _is_list(fields[label]):
        raise _several_labels(where, label)
    if not _is_class(fields[label]):
        raise UserError(f"{where}: the column {label!r} holds {str(fields[label])[:80]}, which names no classes")
    for what in ("split", "group"):
        if said.get(what) and said[what] not in names:
            chosen([], said[what], there, what, where)
    nested = types.is_struct(fields[image])
    return Columns(
        image=f"{image}.{_BYTES}" if nested else image,
        path=f"{image}.path" if nested and _has_path(fields[image]) else None,
        label=label,
        split=said.get("split", "split" if "split" in names and "split" not in given else None),
        group=said.get("group", "group" if "group" in names and "group" not in given else None),
        classes=_classes(features, label),
    )


def _numbered(names: list[str], name: str | int) -> str:
    return names[name - 1] if isinstance(name, int) and name <= len(names) else str(name)


def _chosen(candidates: list[str], said: str | None, names: list[str], there: list[str], what: str, where: Path) -> str:
    return said if said in names and said is not None else chosen(candidates, said, there, what, where)


def _several_labels(where: Path, column: str) -> UserError:
    return UserError(
        f"{where}: the column {column!r} holds several labels an image; only images of one class each can be learnt"
    )


def _features(schema: pa.Schema) -> Mapping[str, Any]:
    """What the library `datasets` notes of its columns; nothing if it has not written the file."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return features if isinstance(features, dict) else {}


def _kind(features: Mapping[str, Any], name: str) -> str:
    feature = features.get(name)
    return str(feature.get("_type")) if isinstance(feature, dict) else ""


def _classes(features: Mapping[str, Any], name: str) -> tuple[str, ...]:
    names = features[name].get("names") if _kind(features, name) == "ClassLabel" else None
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _holds_bytes(kind: pa.DataType) -> bool:
    if types.is_struct(kind):
        at = kind.get_field_index(_BYTES)
        return at >= 0 and _is_binary(kind.field(at).type)
    return _is_binary(kind)


def _has_path(kind: pa.StructType) -> bool:
    at = kind.get_field_index("path")
    return at >= 0 and _is_text(kind.field(at).type)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_class(kind: pa.DataType) -> bool:
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(_is_text(kind) or types.is_integer(kind) or types.is_boolean(kind))
