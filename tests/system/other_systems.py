"""A folder for PYTHONPATH that makes a process take itself to be on another system as soon as it imports ours.

What the other one lacks is gone by then, and what is under /proc and /sys; Python itself and what it has loaded stay.
"""

from pathlib import Path

_MAC = ("posix_fallocate", "posix_fadvise", "sched_getaffinity", "sched_setaffinity", "pipe2", "memfd_create",
        "eventfd", "copy_file_range", "splice", "getxattr", "listxattr", "setxattr", "getrandom", "O_DIRECT",
        "fdatasync", "sched_getscheduler", "epoll")  # fmt: skip
_WINDOWS = ("uname", "getuid", "geteuid", "killpg", "sched_getaffinity", "posix_fallocate", "preadv", "pread", "mkfifo")

_HOOK = """
import sys

class Hook:
    def find_spec(self, name, path=None, target=None):
        if name == "freeze_or_tune":
            pretend()
        if {windows} and name in ("fcntl", "resource", "pwd", "grp", "termios") and sys.platform == "win32":
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None

def pretend():
    import io, os, signal, sysconfig, urllib.request
    import typer.main  # these load what only the other system has
    sysconfig.get_config_vars()
    sys.platform = {platform!r}
    for name in {lacks!r}:
        if hasattr(os, name):
            delattr(os, name)
    if {windows}:
        for name in ("SIGUSR1", "SIGUSR2", "SIGKILL", "SIGHUP"):
            signal.__dict__.pop(name, None)
        for name in ("fcntl", "resource", "pwd", "grp", "termios"):
            sys.modules.pop(name, None)

    def hidden(function):
        def called(path, *rest, **options):
            if str(path).startswith(("/proc/", "/sys/")):
                raise FileNotFoundError(2, "No such file or directory", str(path))
            return function(path, *rest, **options)
        return called

    io.open = hidden(io.open)
    os.stat = hidden(os.stat)

sys.meta_path.insert(0, Hook())
"""


def pretending(folder: Path, platform: str) -> str:
    """The folder's path, with the hook in it that Python runs at its start."""
    windows = platform == "win32"
    hook = _HOOK.format(platform=platform, windows=windows, lacks=_WINDOWS if windows else _MAC)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(hook)
    return str(folder)
