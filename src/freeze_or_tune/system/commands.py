"""Commands that people may paste as they stand."""

import shlex
from collections.abc import Sequence


def snakemake_command(configfiles: Sequence[str] = ()) -> str:
    """Snakemake for a study (none: the default one); an option or two dashes must follow."""
    return shlex.join(["snakemake", *(["--configfile", *configfiles] if configfiles else [])])


def front_command(command: str, *arguments: object, studies: Sequence[object] = (), **options: object) -> str:
    """`freeze-or-tune COMMAND` with arguments and those options that are not None; of a study, or the default one."""
    texts = {key: f"{value:g}" if isinstance(value, float) else str(value) for key, value in options.items()}
    given = [word for key, value in options.items() if value is not None for word in (f"--{key}", texts[key])]
    studied = [word for study in studies for word in ("--study", str(study))]
    return shlex.join(["freeze-or-tune", command, *map(str, arguments), *given, *studied])
