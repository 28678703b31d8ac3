"""Templates and assets of the pages: what makes one file of them that asks nothing of any network."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render_template(name: str, **values: object) -> str:
    """A template of `assets` as HTML; every value in it is escaped, and a missing one is an error."""
    loader = PackageLoader("freeze_or_tune.analysis.page", "assets")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )

    def asset(file: str) -> str:
        """A file of this package as it is."""
        return loader.get_source(environment, file)[0]

    context: dict[str, Any] = {"asset": asset, **values}
    return environment.get_template(name).render(context)
