"""A real browser: Chromium as Debian packages it, driven by Playwright."""

import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request
from playwright.sync_api import sync_playwright as playwright_runs

from tests.browser.warehouse import Warehouse, warehouse

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SOUNDING = "--autoplay-policy=no-user-gesture-required"
REBOUND = "--host-resolver-rules=MAP *.example 127.0.0.1"

_NOTES = """
window.notes = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (when) {
  const from = Math.round((when - this.context.currentTime) * 100) / 100;
  window.notes.push({ wave: this.type, pitch: this.frequency.value, from });
  return start.call(this, when);
};
"""
"""Keeps every note that is played; it is played all the same."""

Opens = Callable[..., Page]


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium; make browser installs Debian's package")
    with playwright_runs() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*FLAGS, SOUNDING, REBOUND]
    )
    yield started
    started.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opens]:
    """Open a page; at its end nothing may have been said on the console."""
    contexts = []
    said: list[str] = []
    asked: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            said.append(message.text)

    def asks(request: Request) -> None:
        asked.append(request.url)

    def open_(url: str, **options: Any) -> Page:  # noqa: ANN401 - Playwright's
        context = browser.new_context(**{"reduced_motion": "reduce", **options})
        contexts.append(context)
        context.add_init_script(_NOTES)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", note)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", asks)
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    # A station that has gone refuses connections; the page says so, and Chromium, too.
    assert [text for text in said if "net::ERR_" not in text] == []
    assert all(url.startswith("http://127.0.0.1:") for url in asked)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with warehouse(tmp_path_factory.mktemp("house")) as found:
        yield found


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    script = files("axe_playwright_python") / "axe.min.js"
    return script.read_text("utf-8")
