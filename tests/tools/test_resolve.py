"""What is told of Pythons and systems, by a uv that answers as uv does."""

import importlib.util
import os
from pathlib import Path

import pytest

from .project import ROOT

ANSWERS = """#!/bin/sh
lock=$(cat)
for name in torch onnxruntime; do
    if echo "$lock" | grep --quiet "^$name==" && echo "$*" | grep --quiet "x86_64-apple"; then
        echo "error: No solution found
  cause: Because $name==1.0 has no wheels with a matching platform tag and you require $name==1.0" >&2
        exit 1
    fi
done
"""


def test_what_has_no_file_is_named_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("resolve", ROOT / "tools/resolve.py")
    assert spec
    assert spec.loader
    resolve = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(resolve)
    uv = tmp_path / "uv"
    uv.write_text(ANSWERS)
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert resolve.lacking("3.13", "x86_64-apple-darwin") == ["torch", "onnxruntime"]
    assert resolve.lacking("3.13", "aarch64-apple-darwin") == []


def test_the_page_says_of_each_system_and_python_what_was_done() -> None:
    page = (ROOT / "docs/installing.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:4] for line in page.splitlines() if line.startswith(("| Linux", "| macOS", "| Windows"))]
    told = {python.strip() for _, pythons, _ in rows for python in pythons.split(",")}
    assert told == {"3.11", "3.12", "3.13", "3.14", "any"}
