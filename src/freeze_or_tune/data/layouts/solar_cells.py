"""ELPV: photographs of solar cells."""

import csv
from pathlib import PurePosixPath

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.listing import Listing
from freeze_or_tune.system.errors import UserError


def read_solar_cells(archive: Archive) -> list[Listing]:
    """ELPV: mono- and polycrystalline cells, surely intact or surely defective; unsure ones are left out."""
    labels = next((name for name in archive.names() if name.endswith("data/labels.csv")), None)
    if labels is None:
        raise UserError(f"{archive.path} has no data/labels.csv; it is not the ELPV dataset")
    folder = PurePosixPath(labels).parent
    states = {0.0: "intact", 1.0: "defective"}
    # Columns separated by spaces: image, probability of a defect (0, 1/3, 2/3 or 1), kind of cell.
    rows = csv.reader(archive.read(labels).decode("utf-8").splitlines(), delimiter=" ", skipinitialspace=True)
    return [
        Listing(str(folder / image), f"{kind}-{states[float(probability)]}")
        for image, probability, kind in rows
        if float(probability) in states
    ]
