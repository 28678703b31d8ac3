"""The pages' Snakefiles, each as it stands: from GitHub, which a repository of these files answers for."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from ..workflow.published import as_github, commit, said
from .pages import blocks, pages

MODULES = [block.text for block in blocks(pages()["docs/module.md"]) if block.language == "snakemake"]


def test_every_snakefile_has_its_test() -> None:
    found = {name for name, page in pages().items() if any(block.language == "snakemake" for block in blocks(page))}
    assert (found, len(MODULES)) == ({"docs/module.md"}, 2)


@pytest.fixture
def environment(cloned: Path, tmp_path: Path) -> dict[str, str]:
    commit(shutil.copytree(cloned, tmp_path / "github/OWNER/freeze-or-tune"))
    return as_github(tmp_path / "github", tmp_path)


@pytest.fixture
def folder(cloned: Path, tmp_path: Path) -> Path:
    """With the embedded study as `config/config.yaml`, and two of it as `config/both.yaml`."""
    (tmp_path / "study/config").mkdir(parents=True)
    study = yaml.safe_load((cloned / "config/config.yaml").read_text())
    (tmp_path / "study/config/config.yaml").write_text(yaml.safe_dump(study))
    (tmp_path / "study/config/both.yaml").write_text(
        yaml.safe_dump({"letters": study, "birds": study | {"name": "birds"}})
    )
    return tmp_path / "study"


def jobs(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) +(\d+)$", said(folder, environment, "snakemake", "-n"), re.MULTILINE))


@pytest.mark.slow
def test_one_study_and_what_follows(folder: Path, environment: dict[str, str]) -> None:
    """From each of the places that the table below it names."""
    for where in re.findall(r"^\| .* \| `(.+?)`.*\|$", pages()["docs/module.md"], re.MULTILINE)[1:]:
        text, changed = re.subn(r"github\(.+\)", where, MODULES[0])
        assert changed == 1
        if "path/to" in where and not (folder / "path").exists():
            (folder / "path/to").mkdir(parents=True)
            (folder / "path/to/freeze-or-tune").symlink_to(folder.parent / "github/OWNER/freeze-or-tune")
        (folder / "Snakefile").write_text(text)
        planned = jobs(folder, environment)
        assert (planned["mine"], planned["study_collect"], planned["study_experiment"]) == ("1", "1", "84")


@pytest.mark.slow
def test_two_studies(folder: Path, environment: dict[str, str]) -> None:
    """Below prefixes, and without them where one of them downloads."""
    (folder / "Snakefile").write_text(MODULES[1])
    planned = jobs(folder, environment)
    assert (planned["letters_experiment"], planned["birds_experiment"], planned["birds_glyphs"]) == ("84", "84", "3")
    (shared,) = re.findall(r"`(use rule \* from birds exclude .+)`", pages()["docs/module.md"])
    apart = re.sub(r"    prefix:\n.+\n", "", MODULES[1]).replace("use rule * from birds as birds_*", shared)
    (folder / "Snakefile").write_text(apart)
    both = yaml.safe_load((folder / "config/both.yaml").read_text())
    both["birds"]["results"] = "results/birds"
    (folder / "config/both.yaml").write_text(yaml.safe_dump(both))
    planned = jobs(folder, environment)
    assert (planned["letters_glyphs"], planned["birds_experiment"]) == ("3", "84")
    assert "birds_glyphs" not in planned
