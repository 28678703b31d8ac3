"""What the columns of people's tables are called, and the words for subsets."""

import re
from collections.abc import Iterable, Mapping, Sequence

from freeze_or_tune.data.parts import PARTS

Said = Mapping[str, str | int | None]
"""What the owner says of the columns path, label, split and group: a name, a number from 1, or None: there is none."""

SUFFIXES = {".csv", ".jsonl", ".ndjson", ".tsv"}
"""Of tables; a .txt may be one, too."""
METADATA = ("metadata.csv", "metadata.jsonl")
"""What `imagefolder` of the Hugging Face Hub calls its tables, one for all or one in each folder of a split."""

PATHS: tuple[set[str], ...] = (
    {
        "path", "file", "filename", "filepath", "imagepath", "imagefile", "imagefilename", "imgpath", "imgfile",
        "relativepath", "relpath", "fullpath", "absolutepath", "fname",
    },
    {"image", "img", "imagename", "imgname", "photo", "picture"},
    {"id", "imageid", "imgid", "idcode", "fileid", "photoid", "name"},
)  # fmt: skip
"""Names of the column of files, the plainest first: `id` is that column only where no `file` is."""

LABELS = {
    "label", "labels", "class", "classname", "classlabel", "labelname", "category", "categoryname", "target",
    "targetname", "species", "breed", "diagnosis", "dx",
}  # fmt: skip
LAST_LABELS = {"y"}
"""Names of the label where nothing else is called so: it may be a coordinate."""
SPLITS = {"split", "subset", "set", "partition"}
GROUPS = {
    f"{name}{suffix}"
    for name in (
        "group", "patient", "subject", "specimen", "individual", "lesion", "site", "camera", "burst", "video",
        "sequence", "seq",
    )
    for suffix in ("", "id")
}  # fmt: skip

SUBSETS = {"": "", **PARTS}
"""What a split column may hold, in lower case."""


def plain(name: str) -> str:
    """A column's name without what writers differ in: `Image ID`, `image_id` and `imageId` are `imageid`."""
    return re.sub(r"[\W_]+", "", name).lower()


def known(header: Iterable[str]) -> int:
    """How many names of a header are known for the files or the label."""
    return sum(plain(name) in LABELS | LAST_LABELS or rank(name) is not None for name in header)


def rank(name: str) -> int | None:
    """How plainly a column is called one of files, 0 the plainest; None: it is not."""
    return next((i for i, names in enumerate(PATHS) if plain(name) in names), None)


def shown(values: Sequence[str], most: int = 8) -> str:
    """The first few names or values, as Python prints them, none longer than a line of words."""
    texts = [repr(value if len(value) <= 60 else f"{value[:60]}...") for value in values[:most]]
    return ", ".join(texts) + (f" and {len(values) - most:,} more" if len(values) > most else "")


def way_out(columns: str) -> str:
    """How the owner of a table says which column is what."""
    return f"--config images='{{path: ..., columns: {columns}}}', or columns: {columns} in a study's dataset"
