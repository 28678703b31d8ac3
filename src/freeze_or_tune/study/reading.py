"""A study from what people write: YAML files, or the config that Snakemake makes of them. Pure Python."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from freeze_or_tune.study.study import Study
from freeze_or_tune.system.errors import UserError


def _explain(error: ValidationError) -> str:
    lines, problems = [], error.errors()
    for problem in problems:
        depth = len(problem["loc"])
        if any(len(other["loc"]) > depth and other["loc"][:depth] == problem["loc"] for other in problems):
            continue  # what follows from a problem within: a list that is too short without what was refused
        key = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] != "missing" and not isinstance(problem["input"], dict):
            message = f"{message} (it is {problem['input']!r})"
        lines.append(f"  {key}: {message}" if key else f"  {message}")
    return "\n".join(lines)


def load_study(config: dict[str, Any]) -> Study:
    """Validate a config as Snakemake passes it; UserError names each wrong key, its value and what is allowed."""
    try:
        return Study.model_validate(config)
    except ValidationError as error:
        raise UserError(f"the study's config is not valid:\n{_explain(error)}") from None


def read_study(*paths: Path | str) -> Study:
    """Read a study from YAML files (commands and tests; the workflow gets its config from Snakemake).

    Of several files each adds to those before it, key by key, as with snakemake's --configfile.
    """
    config: dict[str, Any] = {}
    for path in paths:
        try:
            _add(config, yaml.safe_load(Path(path).read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError, AttributeError) as error:
            raise UserError(f"the study {path} cannot be read: {error}") from None
    return load_study(config)


def _add(config: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            _add(config[key], value)
        else:
            config[key] = value


def schema() -> str:
    """The JSON schema of a study's config, as `workflow/schemas/study.schema.json` holds it."""
    return json.dumps(Study.model_json_schema(), indent=2) + "\n"
