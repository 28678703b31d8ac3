import json
import subprocess
import sys

import pytest

from freeze_or_tune.__main__ import main
from freeze_or_tune.study.study import Study


def test_the_schema_is_printed(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"].keys() == Study.model_fields.keys()


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "schema" in capsys.readouterr().out


def test_an_unknown_command_fails():
    ended = subprocess.run(
        [sys.executable, "-m", "freeze_or_tune", "mend"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "invalid choice: 'mend'" in ended.stderr
