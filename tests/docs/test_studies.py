"""The pages' pieces of YAML, each laid over the study that its page speaks of, and what is then run or planned."""

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import timm
import torch
import yaml

from freeze_or_tune.study.reading import load_study
from freeze_or_tune.study.schemes import Scheme
from freeze_or_tune.study.study import Study

from ..workflow.miniature import overlaid
from .conftest import CPU, FEW, change, draw_birds, example, shell
from .pages import ROOT, blocks, pages, spans

BIRDS = """\
path,label
robin/IMG_0001.jpg,robin
owl/IMG_0001.jpg,owl
"""


def of_config(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "config" / name).read_text()))


def options() -> set[str]:
    """What a profile may hold: snakemake's long options."""
    return set(re.findall(r"--([a-z][a-z-]+)", shell("snakemake --help", ROOT).stdout))


def test_each_piece_of_yaml_has_its_test() -> None:
    """A new one needs a test here; the first of configuration.md is in the study of test_results.py."""
    found = {name: sum(block.language == "yaml" for block in blocks(page)) for name, page in pages().items()}
    assert {name: number for name, number in found.items() if number} == {
        "docs/advice.md": 1, "docs/cluster.md": 1, "docs/configuration.md": 3, "docs/downloads.md": 1,
        "docs/networks.md": 1,
    }  # fmt: skip


def test_pieces_between_words() -> None:
    """What is written as `key: {...}` is a part of a study or of a profile."""
    found = [span for page in pages().values() for span in spans(page) if re.match(r"[\w-]+: \{", span)]
    pieces = [yaml.safe_load(span) for span in found]
    assert {key for piece in pieces for key in piece} == {"advice", "machine", "networks", "set-resources", "sources"}
    for piece in pieces:
        if piece.keys() <= Study.model_fields.keys():
            load_study(overlaid(of_config("config.yaml"), piece))
        else:
            assert piece.keys() <= options()


@pytest.mark.slow
def test_own_images_in_the_config(small: Path, tmp_path: Path) -> None:
    """As a folder, and as the comment beside it says, as a table."""
    (block,) = (block.text for block in blocks(pages()["docs/advice.md"]) if block.language == "yaml")
    for number, text in enumerate((block, re.sub(r"\{.*\} # or (\{.*\})", r"\1", block))):
        folder = shutil.copytree(small, tmp_path / f"{number}", symlinks=True)
        (folder / "photos/birds.csv").write_text(BIRDS)
        change(folder / "config/config.yaml", yaml.safe_load(text))
        done = shell("snakemake results/indexes/birds.csv", folder)
        assert done.returncode == 0, done.stdout
        assert len(pd.read_csv(folder / "results/indexes/birds.csv")) == (45, 2)[number]
    planned = shell("snakemake --dry-run results/advice/birds/model.safetensors", folder)
    assert re.search(r"^model +1$", planned.stdout, re.MULTILINE), planned.stdout


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["bvlc_reference_caffenet.caffemodel", "caffenet-12.onnx"])
def test_caffenet_is_the_papers(cloned: Path, tmp_path: Path, weights: str) -> None:
    """With either of the two files that the comment names."""
    (text,) = (block.text for block in blocks(pages()["docs/configuration.md"]) if "caffemodel" in block.text)
    assert weights in text
    piece = yaml.safe_load(text.replace("bvlc_reference_caffenet.caffemodel", weights))
    paper = of_config("paper.yaml")
    paper["sources"]["imagenet"]["weights"]["file"] = f"resources/downloads/caffenet/{weights}"
    assert piece["sources"]["imagenet"] == paper["sources"]["imagenet"]
    folder = shutil.copytree(cloned, tmp_path / "study")
    change(folder / "config/paper.yaml", piece)
    done = shell("snakemake --dry-run --configfile config/paper.yaml -- results/networks/imagenet.json", folder)
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert jobs == {"download": "2", "import_network": "1", "total": "3"}, done.stdout


@pytest.mark.slow
def test_a_network_by_name(cloned: Path, tmp_path: Path) -> None:
    """The whole study, with random weights, one split, small images and a short training, to the last figure."""
    folder = shutil.copytree(cloned, tmp_path / "study")
    draw_birds(folder / "path/to/birds", 50)
    torch.manual_seed(0)
    torch.save(timm.create_model("resnet50").state_dict(), folder / "path/to/resnet50.pth")
    study = folder / "my-study.yaml"
    study.write_text(yaml.safe_dump(example("docs/networks.md"), sort_keys=False))
    sizes = {"networks": {"resnet50": {"image_size": 40, "crop": 32}}, "targets": {"birds": {"n": [5]}}}
    change(study, sizes, {"solver": FEW, "machine": CPU})
    done = shell("snakemake --configfile my-study.yaml", folder)
    assert done.returncode == 0, done.stdout
    assert len(pd.read_csv(folder / "results/experiments.csv")) == 4
    assert (pd.read_csv(folder / "results/figures/fig2.csv").cosine.isna()).all()
    assert len(pd.read_csv(folder / "results/figures/fig1.csv").dropna(subset=["ratio", "low", "high"])) == 2
    assert (folder / "results/tables/table3.md").read_text().count("no experiments") == 9
    assert re.search(r"^\| birds +\| – +\| – ", (folder / "results/tables/table2.md").read_text(), re.MULTILINE)
    assert (folder / "results/report/index.html").stat().st_size


def test_a_profile_of_another_executor() -> None:
    profile = example("docs/cluster.md")
    assert profile["executor"] == "kubernetes"
    assert profile.keys() <= options()


def test_a_search_is_as_the_page_shows_it() -> None:
    (text,) = (block.text for block in blocks(pages()["docs/configuration.md"]) if "search:" in block.text)
    study = load_study(overlaid(of_config("config.yaml"), yaml.safe_load(text)))
    tried = {
        scheme: len(study.solver.candidates(Scheme.parse(scheme))) for scheme in ("F1-7_R8", "T1-7_R8", "F1-5_R6-8")
    }
    assert tried == {"F1-7_R8": 9, "T1-7_R8": 6, "F1-5_R6-8": 6}
    assert study.solver.search is not None
    assert study.solver.search.rule == "average"
