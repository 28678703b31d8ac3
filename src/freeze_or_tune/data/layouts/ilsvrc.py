"""ILSVRC2012 (Russakovsky et al. 2015): a tar of one tar a class, a tar of validation images, and the devkit."""

import io
import re

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing, images_of, lines, locate, some
from freeze_or_tune.system.errors import UserError

DATASET = "ILSVRC2012"
TRAIN = re.compile(r"(?:^|/)(n\d{8})/\1_\d+\.JPEG$")
VALIDATION = re.compile(r"(?:^|/)ILSVRC2012_val_(\d{8})\.JPEG$")
TRUTH = "ILSVRC2012_validation_ground_truth.txt"


def read_ilsvrc(archive: Archive) -> list[Listing]:
    """Classes by WordNet id, which sorted are the lines of synsets.txt; the official test is ILSVRC's validation.

    A few files are CMYK or a PNG of the name .JPEG, which decoding sees by itself.
    """
    names = images_of(archive)
    training = [(name, match[1]) for name in names if (match := TRAIN.search(name))]
    validation = [(name, int(match[1])) for name in names if (match := VALIDATION.search(name))]
    listings = [Listing(name, wnid, "train") for name, wnid in training]
    if validation:
        labels = _validation_labels(archive)
        last = max(number for _, number in validation)
        if last > len(labels):
            raise UserError(f"{archive.path}: {TRUTH} has {len(labels)} lines, but there is a validation image {last}")
        listings += [Listing(name, labels[number - 1], "test") for name, number in validation]
    return some(listings, archive, DATASET, "n01440764/n01440764_10026.JPEG")


def _validation_labels(archive: Archive) -> list[str]:
    """WordNet ids of the validation images in the order of their numbers."""
    wnids = _wnids(archive)
    truth = locate(archive, TRUTH, f"{DATASET} (its devkit_t12 holds it)")
    labels = []
    for number, line in lines(archive, truth):
        if not line.strip().isdecimal() or int(line) not in wnids:
            raise UserError(f"{truth} in {archive.path}, line {number}: {line!r} is no id of meta.mat's classes")
        labels.append(wnids[int(line)])
    return labels


def _wnids(archive: Archive) -> dict[int, str]:
    """WordNet id by the devkit's own id, for the classes without children (the 1,000 low-level synsets)."""
    from scipy.io import loadmat  # noqa: PLC0415 (each job that reads a split imports this module, but not scipy)

    name = locate(archive, "data/meta.mat", f"{DATASET} (its devkit_t12 holds it)")
    try:
        # An open file will do as well as a path, though the stubs do not know.
        synsets = loadmat(io.BytesIO(archive.read(name)), squeeze_me=True)["synsets"]  # type: ignore[arg-type]
        return {int(s["ILSVRC2012_ID"]): str(s["WNID"]) for s in synsets if int(s["num_children"]) == 0}
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise UserError(f"{name} in {archive.path} is not the devkit's table of classes ({error})") from None
