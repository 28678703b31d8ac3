"""Snakemake's files in a local git repository: what is mended is still broken, and is then as it is from elsewhere."""

import pytest
from snakemake.sourcecache import LocalGitFile, LocalSourceFile

from freeze_or_tune.system.sources import scripts_from_local_git

RULES = LocalGitFile("repository", "workflow/rules", tag="v1")
SCRIPT = LocalSourceFile("../scripts/store.py")


def test_a_script_is_found_beside_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalGitFile, "join", LocalGitFile.join)
    scripts_from_local_git()
    scripts_from_local_git()  # of two modules each asks for it
    for script in (SCRIPT, SCRIPT.path):
        joined = RULES.join(script)
        assert (joined.path, joined.ref, joined.repo_path) == ("workflow/scripts/store.py", "v1", "repository")


def test_snakemake_needs_it_still() -> None:
    """If this fails, `system/sources.py` can go."""
    with pytest.raises(TypeError):
        RULES.join(SCRIPT)
