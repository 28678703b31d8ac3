"""Snakemake's events as JSON lines to who started it: `snakemake --logger freeze-or-tune`, see freeze_or_tune.running.

A plugin is found by the name of its package, so this one cannot lie within freeze_or_tune.
"""

import json
import os
from logging import LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

CHANNEL = "FREEZE_OR_TUNE_EVENTS"
"""The environment variable with the number of the file descriptor to write to."""

_TOLD = {
    LogEvent.RUN_INFO: ("stats",),
    LogEvent.JOB_INFO: ("jobid", "rule_name", "log"),
    LogEvent.JOB_STARTED: ("jobs",),
    LogEvent.JOB_FINISHED: ("job_id",),
    LogEvent.JOB_ERROR: ("jobid", "rule_name", "log"),
    LogEvent.ERROR: ("exception",),
}


class LogHandler(LogHandlerBase):
    """Writes what is needed to follow a run; nothing where nobody listens."""

    def __post_init__(self) -> None:
        """Without Snakemake's own filter: what --quiet silences is wanted here, too."""
        self.descriptor = int(os.environ.get(CHANNEL, "-1"))

    def emit(self, record: LogRecord) -> None:
        """One line for each event that is told."""
        event = getattr(record, "event", None)
        if self.descriptor < 0 or event not in _TOLD:
            return
        line = {"event": event, "message": record.getMessage()} | {key: getattr(record, key) for key in _TOLD[event]}
        try:
            os.write(self.descriptor, json.dumps(line, default=str).encode() + b"\n")
        except OSError:  # who listened has gone; the run goes on
            self.descriptor = -1

    writes_to_stream = False
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False
