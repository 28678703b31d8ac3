"""`schema`: the JSON schema of a study's config, for editors."""


def schema() -> None:
    """Print the JSON schema of studies, for editors.

    Example: freeze-or-tune schema > study.schema.json
    """
    from freeze_or_tune.study.reading import schema as of_a_study  # noqa: PLC0415 - --help is not to wait for it

    print(of_a_study(), end="")
