import json
import re
import subprocess
import sys

import pytest

from freeze_or_tune import __version__
from freeze_or_tune.__main__ import COMMANDS, main
from freeze_or_tune.study.study import Study

from ..docs.pages import GENERATED

NAMES = [command.__name__.replace("_", "-") for commands in COMMANDS.values() for command in commands]


def test_the_schema_is_printed(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"].keys() == Study.model_fields.keys()


def test_help_names_the_commands(capsys):
    assert main(["--help"]) == 0
    assert re.findall(r"^  ([a-z-]+)  +\S", capsys.readouterr().out.split("Commands:")[1], re.MULTILINE) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_an_example_that_it_understands(name, capsys):
    assert main([name, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    (example,) = re.findall(rf"Example: (freeze-or-tune {name} ?.*)$", told)
    options = re.findall(r" (--[a-z-]+)", example)
    known = re.findall("--[a-z-]+", told.split("Options:")[1].split("Example:")[0])
    assert set(options) <= set(known)


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"freeze-or-tune {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mend"], "No such command 'mend'"),
        (["predict"], "Missing argument"),
        (["run", "--profil", "slurm"], "No such option: --profil"),
        (["advise", "photos", "--cores", "none"], "Invalid value for '--cores'"),
    ],
)
def test_a_wrong_command_line_ends_with_2(words, said, capsys):
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_a_command_that_gives_a_study_that_is_none_says_which_there_are(capsys):
    assert main(["status", "--study", "papre"]) == 1
    assert "there is no study papre; give a file, or one of those that ship: config, depth, " in capsys.readouterr().err


def test_help_waits_for_nothing_heavy():
    code = (
        "import sys; from freeze_or_tune.__main__ import main; main(['advise', '--help']); "
        "sys.exit(bool({'torch', 'numpy', 'pandas', 'snakemake', 'rich', 'yaml'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_what_reads_the_output_may_stop():
    command = f"{sys.executable} -m freeze_or_tune schema | head --lines=1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert (done.stdout, "Traceback" in done.stderr) == ("{\n", False)


def test_the_page_of_commands_is_what_they_say_of_themselves(tmp_path):
    made = tmp_path / "commands.md"
    words = ["freeze_or_tune.__main__", "utils", "docs", "--name", "freeze-or-tune", "--title", "Commands"]
    subprocess.run([sys.executable, "-m", "typer", *words, "--output", made], check=True, capture_output=True)
    assert made.read_text() == GENERATED.read_text(), "run `make commands`"
