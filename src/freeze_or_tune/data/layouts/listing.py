"""What a reader of a dataset returns, and what readers share."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.archives.base import is_hidden
from freeze_or_tune.data.decoding import HEIC, HEIC_HINT, is_picture, suffixes
from freeze_or_tune.records.findings import Finding
from freeze_or_tune.system.errors import UserError

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
"""How images of the paper's datasets are called; one's own are known by what they are (`pictures_of`)."""

_LINKS = {
    True: "Links to nothing, or round in a circle; they are left out",
    False: "Links out of the folder, or files that are not there; they are left out (links are read with "
    "--follow-links, --config images='{path: ..., follow_links: true}' or follow_links: true in a study's dataset)",
    None: "Links, devices, or names that lead out of the archive; they are left out",
}
"""What is left out of an archive, by whether links are followed in it."""


@dataclass(frozen=True)
class Listing:
    """One image of a dataset."""

    image: str
    """Path in the archive; for a point in a photo `<path>@<row>,<column>`."""
    class_name: str
    subset: str = ""
    """The given train, val or test, if the dataset has such."""
    group: str = ""
    """Images of one group show the same thing, if the dataset says so."""


def is_image(name: str) -> bool:
    """Whether a file is called like an image and is not hidden."""
    return not is_hidden(name) and PurePosixPath(name).suffix.lower() in SUFFIXES


def images_of(archive: Archive) -> list[str]:
    """The sorted names of all images, by how they are called."""
    return [name for name in archive.names() if is_image(name)]


def pictures_of(archive: Archive) -> list[str]:
    """The sorted names of all files that are called like pictures, or begin as such do, and are not hidden."""
    return [name for name in archive.names() if not is_hidden(name) and _is_picture(archive, name)]


def around(archive: Archive, used: Collection[str]) -> list[Finding]:
    """What lies beside the images that are `used`, if nothing was said of it yet."""
    others = {name for name in archive.names() if not is_hidden(name)}.difference(used, archive.told)
    heic = {name for name in others if PurePosixPath(name).suffix.lower() in HEIC}
    return [
        *Finding.of("ignored", others - heic, "Files that are no images; they are ignored"),
        *Finding.of("ignored", heic, f"Images in HEIC, which are left out ({HEIC_HINT})"),
        *Finding.of("links", (name for name in archive.left_out if not is_hidden(name)), _LINKS[archive.follows]),
    ]


def refusal(archive: Archive, problem: str) -> UserError:
    """What is wrong with a dataset as a whole, with all that was found in it."""
    found = "".join(f"\n  {finding}" for finding in (*archive.findings, *around(archive, pictures_of(archive))))
    return UserError(f"{archive.path} {problem}{'. What was found:' if found else ''}{found}")


def _is_picture(archive: Archive, name: str) -> bool:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in suffixes():
        return True
    try:
        with archive.open(name) as file:
            # Many others are TIFF inside, such as raw photographs, of which that shows a small preview.
            return is_picture(file, but=("TIFF",) if suffix else ())
    except (KeyError, UserError):
        return False


def some(listings: list[Listing], archive: Archive, dataset: str, layout: str) -> list[Listing]:
    """Return the listings; UserError if there are none, because the archive is another one."""
    if not listings:
        raise UserError(f"{archive.path} holds no images laid out as {layout}; it is not {dataset}")
    return listings


def locate(archive: Archive, file: str, dataset: str) -> str:
    """Name of the uppermost file called `file` (perhaps with folders); UserError if there is none."""
    found = [name for name in archive.names() if f"/{name}".endswith(f"/{file}")]
    if not found:
        raise UserError(f"{archive.path} has no {file}, which {dataset} needs")
    return min(found, key=lambda name: (name.count("/"), name))


def lines(archive: Archive, name: str) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, text) of a list, without blank lines; names in it may hold spaces."""
    text = archive.read(name).decode("utf-8-sig", "surrogateescape")
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line.strip():
            yield number, line


def numbered(archive: Archive, name: str) -> dict[str, str]:
    """A list of `<number> <value>` lines by number; UserError names the line that is not like that."""
    table = {}
    for number, line in lines(archive, name):
        key, _, value = line.partition(" ")
        if not value or key in table:
            raise UserError(f"{name} in {archive.path}, line {number}: {line!r} is not a new number and its value")
        table[key] = value
    return table


def check_listed(wanted: Iterable[str], held: Iterable[str], archive: Archive, by: str) -> None:
    """Raise UserError if a list names images that the archive does not hold."""
    missing = sorted(set(wanted).difference(held))
    if missing:
        raise UserError(
            f"{archive.path} lacks {len(missing)} images of {by}, such as {missing[0]!r}; fetch the whole dataset again"
        )
