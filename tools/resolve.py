"""For which Pythons and systems each package of requirements.lock has a file that needs no compiler (needs uv).

    python tools/resolve.py

Nothing is installed: what is resolved was not tried.
"""

import os
import re
import subprocess
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Linux, x86-64": "x86_64-manylinux_2_28",
    "Linux, arm64": "aarch64-manylinux_2_28",
    "macOS 14, Apple": "aarch64-apple-darwin",
    "macOS 14, Intel": "x86_64-apple-darwin",
}
PURE = {"connection-pool"}
"""Has no wheel, and needs no compiler."""


def lacking(python: str, system: str) -> list[str]:
    """Packages without a file for a Python on a system, first to last as uv finds them."""
    found: list[str] = []
    names = sorted(set(re.findall(r"^([\w.-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)) - PURE)
    while True:
        wheels = [word for name in names if name not in found for word in ("--only-binary", name)]
        # What lacks a file is left out for the next turn.
        text = "".join(line for line in LOCK.open(encoding="utf-8") if line.split("==")[0] not in found)
        there = ["--python-version", python, "--python-platform", system]
        done = subprocess.run(
            ["uv", "pip", "compile", "-", "--no-deps", *there, *wheels],
            input=text, capture_output=True, text=True, check=False,
            env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
        )  # fmt: skip
        if done.returncode == 0:
            return found
        named = re.search(r"Because (\S+?)==\S+ has no", " ".join(done.stderr.split()))
        if not named:
            raise SystemExit(done.stderr)
        found.append(named[1])


if __name__ == "__main__":
    print(f"| Python | {' | '.join(SYSTEMS)} |\n|---|{'---|' * len(SYSTEMS)}")
    for version in PYTHONS:
        cells = [", ".join(f"no {name}" for name in lacking(version, system)) or "all" for system in SYSTEMS.values()]
        print(f"| {version} | {' | '.join(cells)} |", flush=True)
