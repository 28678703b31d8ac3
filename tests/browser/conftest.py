"""A real Chromium without a screen, without a network, and a page of the synthetic study in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from freeze_or_tune.analysis.page.write import write_page

from ..analysis.synthetic import sheet, study

PATIENCE = 20_000
"""Milliseconds until something that does not appear is an error."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium; install it, for example with: apt-get install chromium")
    # Chromium's sandbox refuses to run as root, which CI is.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the synthetic study, with paths as snakemake gives them."""
    folder = tmp_path_factory.mktemp("report")
    before = Path.cwd()
    os.chdir(folder)
    try:
        results = study(Path("results"))
        samples = [sheet(Path("results/samples") / f"{name}.png") for name in ("latin", "near-by-images")]
        page = Path("results/report/index.html")
        write_page(results.csv, results.experiments, samples, page, sources={"latin-a": "latin"})
    finally:
        os.chdir(before)
    return folder / page


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a file; in the end an error that the page told of, or a request that left it, fails the test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []
    requests: list[str] = []

    def ask(route: Route) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            requests.append(route.request.url)
            route.abort()

    def open_file(path: Path, width: int = 1280, height: int = 900, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.route(lambda url: not url.startswith(("data:", "blob:")), ask)
        page.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector("#curves .main-svg")
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert problems == []
    assert requests == []
