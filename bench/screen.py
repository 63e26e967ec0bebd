"""The way of a scan to the eye: from its commit to its picture in a real browser."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import time

from playwright.async_api import Page, async_playwright

from bench.measure import Row, percentile
from edge.clock import read_clock
from edge.config import Config, DisplaySettings
from edge.outbox import Outbox
from edge.scanners import Read, ScannerHealth, Sink, Tone
from edge.station import Setup, Station
from edge.texts import read_texts

__all__ = ["painted"]

SCANS = 200
WARM = 20  # scans before those that are measured: a page that was just loaded is slow
PAUSE = 0.1  # seconds between two scans
PORT = 18_090
LIMIT = 100.0  # milliseconds in which a person takes an answer for at once
_MILLI = 1000.0

_WATCH = """
() => {
  window.painted = [];
  const code = document.getElementById("code");
  new MutationObserver(() => {
    const seen = code.textContent;
    requestAnimationFrame(() => requestAnimationFrame(() =>
      window.painted.push([seen, performance.timeOrigin + performance.now()])));
  }).observe(code, { childList: true });
}
"""
"""Notes when each code was on the screen: two frames later it certainly is."""


class _Hand:
    """A scanner that waits until it is told to begin, and scans at a hand's pace."""

    def __init__(self) -> None:
        self.health = ScannerHealth(device="bench")
        self.begin = asyncio.Event()
        self.done = asyncio.Event()

    async def run(self, sink: Sink) -> None:
        await self.begin.wait()
        for number in range(SCANS):
            raw = b"P-%06d" % number
            await sink(Read(raw=raw, device="bench", clock=read_clock()))
            await asyncio.sleep(PAUSE)
        self.done.set()
        await asyncio.Event().wait()

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Take note of nothing."""


async def painted(folder: Path) -> list[Row]:
    """Commit to painted; no rows where there is no Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("painted: left out, there is no Chromium; see make browser")
        return []
    outbox = await Outbox.open(folder / "outbox.db")
    hand, committed = _Hand(), list[float]()
    outbox.on_saved(lambda: committed.append(time() * _MILLI))
    async with _station(folder, outbox, hand), _page(chromium) as page:
        await page.evaluate(_WATCH)
        hand.begin.set()
        await hand.done.wait()
        await asyncio.sleep(1)
        seen = dict(await page.evaluate("window.painted"))
    await outbox.close()
    times = [
        seen[f"P-{number:06}"] - at
        for number, at in list(enumerate(committed))[WARM:]
        if f"P-{number:06}" in seen
    ]
    if len(times) < (SCANS - WARM) * 0.9:
        reason = f"{SCANS} scans, and only {len(times)} were seen on the screen"
        raise RuntimeError(reason)
    beside = "what a person takes for at once"
    return [
        Row(f"commit to painted, p{p}", percentile(times, p), LIMIT, "ms", beside)
        for p in (50, 99)
    ]


@asynccontextmanager
async def _station(folder: Path, outbox: Outbox, hand: _Hand) -> AsyncIterator[None]:
    setup = Setup(
        data=folder,
        config=Config(display=DisplaySettings(kiosk=PORT)),
        scanners=(),
        drain=False,
        version="bench",
        texts=read_texts("en"),
        show=lambda _: None,
        say=lambda _: None,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(Station(setup, outbox, None, [hand]).run(stop))
    try:
        yield
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def _page(chromium: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{PORT}/")
        await page.locator("#title", has_text="READY").wait_for()
        yield page
        await browser.close()
