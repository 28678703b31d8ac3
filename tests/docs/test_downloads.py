"""The page of downloads has the table's word on each address, as the table has it."""

from itertools import groupby

import yaml

from freeze_or_tune.data.downloads.catalogue import Download, all_downloads
from freeze_or_tune.data.downloads.sightings import Sighting

from .pages import ROOT, blocks

PAGE = (ROOT / "docs/downloads.md").read_text()
HEADER = "| dataset | files | last seen alive | gone, or by login | elsewhere |\n|---|---|---|---|---|\n"


def linked(sightings: list[Sighting]) -> str:
    words = {"login": "login, ", "alive": "", "dead": ""}
    return ", ".join(f"{words[one.state]}{one.day} ([{one.tracker}#{one.number}]({one.page}))" for one in sightings)


def line(rows: list[Download]) -> str:
    first = rows[0]
    alive = [one for one in first.seen if one.state == "alive"]
    gone = [one for one in first.seen if one.state != "alive"]
    files = f"`{first.file}`" + (f" and {len(rows) - 1} more" if len(rows) > 1 else "")
    where = " ".join(f"<{page}>" for page in first.elsewhere)
    return f"| {first.dataset} | {files} | {linked(alive) or 'no word found'} | {linked(gone)} | {where} |\n"


def test_the_page_says_who_last_saw_each_address() -> None:
    rows = [row for row in all_downloads(None) if not (row.url or "").startswith("pypi:")]
    groups = groupby(rows, key=lambda row: (row.dataset, row.seen, row.elsewhere))
    table = HEADER + "".join(line(list(group)) for _, group in groups)
    assert table in PAGE, f"docs/downloads.md should hold\n{table}"


def test_its_alternatives_are_those_of_the_paper_s_study() -> None:
    (block,) = (block.text for block in blocks(PAGE) if block.language == "yaml")
    paper = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    assert yaml.safe_load(block)["datasets"]["sun397"] == paper["datasets"]["sun397"]
