"""Checkpoints of a run: beside its result, keyed by all that determines it, whole or not at all.

A folder `.<result>.checkpoints/<key>-<run>/` holds the last two states as `<iteration>-<digest>.pt`; the digest of its
bytes in a file's name tells a damaged one. The folder is removed when the result is written.
"""

import hashlib
import io
import logging
import pickle
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from freeze_or_tune.system.errors import STOPPED, UserError
from freeze_or_tune.system.files import checkpoint_folder, lock_file, replacing
from freeze_or_tune.system.locks import locked

log = logging.getLogger(__name__)

State = dict[str, Any]
"""Tensors, numbers and texts by name; everything needed to go on."""

FORMAT = 2
"""Of states: those of another one are not read."""
_KEPT = 2
_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class Stopped(UserError):
    """The run was asked to stop; its state is saved, and running it again goes on from there."""


class Checkpoints:
    """The states of one run, saved every `seconds` and when a signal asks the process to stop."""

    def __init__(self, folder: Path, seconds: float) -> None:
        """Keep states in `folder`, which is made when the first is saved."""
        self.folder, self.seconds = folder, seconds
        self._saved = time.monotonic()
        self._signal: signal.Signals | None = None

    def load(self) -> State | None:
        """The newest whole state, in host memory, or None; a damaged one is removed with a warning.

        Not on the device of the run that saved it: this one may have another, and needs room for its own tensors.
        """
        for path in reversed(self._files()):
            content = path.read_bytes()
            try:
                state = _state(content, path)
            except ValueError as error:
                log.warning("removed the damaged checkpoint %s: %s", path, error)
                path.unlink()
            else:
                log.info("going on from iteration %d (%s)", state["iteration"], path)
                return state
        return None

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return self._signal is not None or time.monotonic() - self._saved >= self.seconds

    def save(self, state: State) -> None:
        """Save `state`; raise Stopped if a signal has asked for it."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getvalue()
        with replacing(self.folder / f"{state['iteration']:09d}-{_digest(content)}.pt") as temporary:
            temporary.write_bytes(content)
        for old in self._files()[:-_KEPT]:
            old.unlink()
        self._saved = time.monotonic()
        if self._signal is not None:
            # Said here, too: a signal that comes again may find the system's own handler, before the error is logged.
            log.info("%s: saved at iteration %d", self._signal.name, state["iteration"])
            raise Stopped(
                f"{STOPPED} {self._signal.name} at iteration {state['iteration']}; what was done is saved: run "
                "snakemake again to go on from there"
            )

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While training, signals wait for the end of the step; only a second Ctrl-C ends the process at once.

        SLURM repeats itself: at a time limit the node and the step's srun both send SIGTERM.
        """

        def note(number: int, frame: FrameType | None) -> None:
            if number == self._signal == signal.SIGINT:
                raise KeyboardInterrupt
            self._signal = signal.Signals(number)

        before = {number: signal.signal(number, note) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _files(self) -> list[Path]:
        """In the order in which they were saved: a run that could not read its newest states saves lower iterations."""
        return sorted(self.folder.glob("[0-9]*.pt"), key=lambda path: (path.stat().st_mtime_ns, path.name))


@dataclass(frozen=True)
class Saving:
    """Where and how often the runs of a result are saved; `key` is a hash of all that determines them."""

    result: Path
    key: str
    seconds: float

    def of_run(self, number: int) -> Checkpoints:
        """The states of one run."""
        return Checkpoints(checkpoint_folder(self.result) / f"{self.key}-{number}", self.seconds)


def _state(content: bytes, path: Path) -> State:
    """What a file holds; ValueError if it is damaged. Want of memory is no damage, and ends the run."""
    named = path.stem.partition("-")[2]
    if _digest(content) != named:
        raise ValueError("its bytes are not those that were written")
    try:
        state: State = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from None
    return state


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


@contextmanager
def only_process(result: Path) -> Iterator[bool]:
    """Hold the lock on a result; yield whether another process held it before, which is waited for.

    When the submitting process of a cluster is killed its jobs live on, and a second submission works on the same
    results. The lock is freed by the system when its holder dies, however it dies.
    """
    result.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock_file(result), result) as waited:
        yield waited


def remove_checkpoints(result: Path) -> None:
    """Remove what is left of the way to a result that is written."""
    shutil.rmtree(checkpoint_folder(result), ignore_errors=True)
