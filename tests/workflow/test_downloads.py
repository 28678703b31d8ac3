"""Files that only a person can get, through snakemake; nothing here needs the internet."""

import hashlib
from pathlib import Path

import pytest
import yaml

from .conftest import STUDY, Snakemake, snakemake_in

DEVKIT = "ilsvrc2012/ILSVRC2012_devkit_t12.tar.gz"
# Its size and digest are unknown, so anything will do.
PLANKTON = "plankton/2006.zip"


@pytest.fixture
def snakemake(tmp_path: Path) -> Snakemake:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    return snakemake_in(tmp_path)


def place(folder: Path, file: str, data: bytes) -> Path:
    path = folder / "resources/manual" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_what_needs_a_login_names_page_file_and_folder(tmp_path: Path, snakemake: Snakemake) -> None:
    done = snakemake(f"resources/downloads/{DEVKIT}")
    assert done.returncode == 1
    assert "\n  visit   https://image-net.org (licence: " in done.stdout
    assert (
        "\n  file    ILSVRC2012_devkit_t12.tar.gz (of unknown size, md5 fa75699e90414af021442c21a62c3abf)\n"
        in done.stdout
    )
    assert "\n  folder  resources/manual/ilsvrc2012\n" in done.stdout
    place(tmp_path, DEVKIT, b"something else")
    done = snakemake(f"resources/downloads/{DEVKIT}")
    assert done.returncode == 1
    assert f"resources/manual/{DEVKIT} has the md5 {hashlib.md5(b'something else').hexdigest()}, not " in done.stdout
    assert (tmp_path / "resources/manual" / DEVKIT).read_bytes() == b"something else"


def test_a_placed_file_is_taken_recorded_and_outlives_its_output(tmp_path: Path, snakemake: Snakemake) -> None:
    placed = place(tmp_path, PLANKTON, b"a zip")
    output = tmp_path / "resources/downloads" / PLANKTON
    done = snakemake(f"resources/downloads/{PLANKTON}")
    assert done.returncode == 0, done.stdout
    assert output.samefile(placed)
    assert output.with_name("2006.zip.sha256").read_text() == f"{hashlib.sha256(b'a zip').hexdigest()}  2006.zip\n"
    output.unlink()
    placed.unlink()
    placed.write_bytes(b"another zip")
    done = snakemake(f"resources/downloads/{PLANKTON}")
    assert done.returncode == 1
    assert "of the record of the first download, resources/downloads/plankton/2006.zip.sha256" in done.stdout
    assert placed.read_bytes() == b"another zip"


def test_a_mistyped_download_lists_the_files(snakemake: Snakemake) -> None:
    done = snakemake("resources/downloads/plankton/2005.zip")
    assert done.returncode == 1
    assert "no file 2005.zip of plankton; its files are 2006.zip, 2007.zip" in done.stdout
