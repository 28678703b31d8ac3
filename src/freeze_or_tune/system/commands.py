"""Commands that people may paste as they stand."""

import shlex
from collections.abc import Sequence


def snakemake_command(configfiles: Sequence[str] = (), **config: object) -> str:
    """Snakemake for a study (none: the default one) and keys of its config; an option or two dashes must follow."""
    settings = [f"{key}={value}" for key, value in config.items() if value is not None]
    words = [*(["--configfile", *configfiles] if configfiles else []), *(["--config", *settings] if settings else [])]
    return shlex.join(["snakemake", *words])
