"""Commands that people may paste as they stand."""

import shlex
from collections.abc import Sequence


def snakemake_command(configfiles: Sequence[str] = ()) -> str:
    """Snakemake for a study (none: the default one); an option or two dashes must follow."""
    return shlex.join(["snakemake", *(["--configfile", *configfiles] if configfiles else [])])


def front_command(command: str, *arguments: object, studies: Sequence[object] = (), **options: object) -> str:
    """`freeze-or-tune COMMAND` with arguments and options but None and False; of a study, or the default one.

    True is a flag, numbers are short, several stand with commas between them.
    """
    given = [
        word
        for key, value in options.items()
        if value is not None and value is not False
        for word in (f"--{key.replace('_', '-')}", *([] if value is True else [_text(value)]))
    ]
    studied = [word for study in studies for word in ("--study", str(study))]
    return shlex.join(["freeze-or-tune", command, *map(str, arguments), *given, *studied])


def _text(value: object) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
