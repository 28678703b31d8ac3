"""What a process reports of itself on its last line."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from freeze_or_tune.system.job import peak_resident_mb


@dataclass(frozen=True)
class Measured:
    """Wall time from the start of the process (s), test accuracy, peak memory of the main process (MB)."""

    seconds: float
    accuracy: float
    peak_mb: float
    first_step: float
    """Seconds from the start of the process to the end of the first step."""
    images_per_second: float
    """While training."""

    @classmethod
    def now(cls, accuracy: float, first_step: float, images_per_second: float) -> "Measured":
        """Of this process, at its end."""
        return cls(since_start(), accuracy, peak_resident_mb(), first_step, images_per_second)

    def show(self) -> None:
        """Print as a line of JSON."""
        print(json.dumps(asdict(self)), flush=True)

    @classmethod
    def read(cls, output: str) -> "Measured":
        """The last line of a process's output."""
        return cls(**json.loads(output.splitlines()[-1]))


def since_start() -> float:
    """Seconds since this process was started, by the kernel's account."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / 100
