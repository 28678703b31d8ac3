"""What the Snakemake workflow catalog reads of this repository."""

import re
from pathlib import Path

import yaml

from freeze_or_tune.study.reading import read_study

ROOT = Path(__file__).parents[1]
README = (ROOT / "config/README.md").read_text(encoding="utf-8")
# Of the catalog's own generator and page.
USAGE = {"mandatory-flags", "software-stack-deployment", "report"}
DEPLOYMENT = {"conda", "apptainer", "apptainer+conda"}


def test_its_settings_have_its_keys() -> None:
    settings = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert settings.keys() == {"usage"}
    assert settings["usage"].keys() <= USAGE
    assert settings["usage"]["software-stack-deployment"].keys() <= DEPLOYMENT
    assert settings["usage"]["mandatory-flags"].keys() == {"desc", "flags"}


def test_no_deployment_is_promised_that_rules_do_not_have() -> None:
    (deployment,) = (
        yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]["software-stack-deployment"],
    )
    rules = "".join(path.read_text() for path in (ROOT / "workflow").rglob("*.smk"))
    assert deployment["conda"] == bool(re.search(r"^    conda:", rules, re.MULTILINE))
    assert deployment["apptainer"] == bool(re.search(r"^ *container:", rules, re.MULTILINE))


def test_the_readme_of_config_names_all_that_is_there_and_counts_right() -> None:
    rows = dict(re.findall(r"^\| `([\w.-]+)` \| (.+?) \|", README, re.MULTILINE))
    assert rows.keys() == {path.name for path in (ROOT / "config").iterdir()} - {"README.md"}
    counted = {name: int(found[1]) for name, text in rows.items() if (found := re.search(r"(\d+) experiments", text))}
    assert len(counted) >= 3
    assert {name: len(read_study(ROOT / "config" / name).experiments()) for name in counted} == counted


def test_links_of_the_readme_of_config_lead_somewhere() -> None:
    assert [link for link in re.findall(r"\]\((.+?)\)", README) if not (ROOT / "config" / link).exists()] == []
