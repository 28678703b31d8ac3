"""How each dataset arranges its images: one small reader each."""

from collections.abc import Callable

from freeze_or_tune.data.archives import Archive
from freeze_or_tune.data.layouts.caltech import read_caltech
from freeze_or_tune.data.layouts.corals import read_corals
from freeze_or_tune.data.layouts.crops import read_photographs, read_specimens, read_textures
from freeze_or_tune.data.layouts.cub import read_cub
from freeze_or_tune.data.layouts.folders import read_folder
from freeze_or_tune.data.layouts.ilsvrc import read_ilsvrc
from freeze_or_tune.data.layouts.listed import read_listed
from freeze_or_tune.data.layouts.listing import Listing, around
from freeze_or_tune.data.layouts.mit_indoor import read_mit_indoor
from freeze_or_tune.data.layouts.naming import one_spelling
from freeze_or_tune.data.layouts.packed import read_packed
from freeze_or_tune.data.layouts.plankton import read_plankton
from freeze_or_tune.data.layouts.solar_cells import read_solar_cells
from freeze_or_tune.data.layouts.sun import read_sun, read_sun_parquet

__all__ = ["OWN", "READERS", "Listing", "around", "one_spelling", "read_folder", "read_listed", "read_solar_cells"]

OWN = frozenset({"folder", "csv", "parquet", "webdataset"})
"""Readers of one's own images: names of classes are made one spelling, and what lies around is said."""

READERS: dict[str, Callable[[Archive], list[Listing]]] = {
    "glyphs": read_folder,
    "digits": read_folder,
    "folder": read_folder,
    "csv": read_listed,
    "parquet": read_packed,
    "webdataset": read_packed,
    "solar-cells": read_solar_cells,
    "photographs": read_photographs,
    "textures": read_textures,
    "specimens": read_specimens,
    "caltech-256": read_caltech,
    "sun397": read_sun,
    "sun397-parquet": read_sun_parquet,
    "mit-indoor": read_mit_indoor,
    "cub-200": read_cub,
    "corals": read_corals,
    "plankton": read_plankton,
    "ilsvrc2012": read_ilsvrc,
}
