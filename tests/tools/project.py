"""A project with a few small packages, and an index of them on this machine: what set_up.py works on, in seconds."""

import shutil
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = """\
# via comments stay
nvidia-thing==1.0 ; sys_platform == 'linux'
    # via torch
torch==2.1
    # via
    #   nvidia-thing
    #   small
torchvision==0.2
triton==3.0 ; sys_platform == 'linux'
    # via torch
"""
BUILD = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "small"
version = "1.0"
"""
# What pip asks of a project that is installed as it lies there.
BACKEND = """
import zipfile
def build_editable(folder, *_):
    with zipfile.ZipFile(folder + "/small-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small.pth", "")
        wheel.writestr("small-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 1.0\\n")
        wheel.writestr("small-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("small-1.0.dist-info/RECORD", "")
    return "small-1.0-py3-none-any.whl"
"""


def project(folder: Path, address: str) -> Path:
    """A folder with what set_up.py needs; torch's makers are at the address."""
    (folder / "tools").mkdir(parents=True)
    script = (ROOT / "tools/set_up.py").read_text(encoding="utf-8")
    assert script.count("https://download.pytorch.org/whl/cpu") == 1
    (folder / "tools/set_up.py").write_text(script.replace("https://download.pytorch.org/whl/cpu", address))
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.lock").write_text(LOCK)
    (folder / "pyproject.toml").write_text(BUILD)
    (folder / "backend.py").write_text(BACKEND)
    return folder


def wheel(folder: Path, name: str, version: str) -> None:
    """A package with nothing in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        inside = f"{name}-{version}.dist-info"
        file.writestr(f"{inside}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(f"{inside}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{inside}/RECORD", "")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder while it is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
