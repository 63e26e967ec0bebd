"""The console in a real browser: first pages with many items, and a board that follows.

`SCANTRAIL_BENCH_ITEMS` says how many items are there before it is measured (100,000),
`SCANTRAIL_BENCH_DATA` names a folder in which they are kept for the next time.
"""

import asyncio
import base64
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Page, async_playwright

from bench.engine import filler
from bench.measure import Row, percentile
from bench.programs import server
from bench.stations import Sending, joined
from server.store.sqlite import SqliteStore
from shared.chain import signed_message, start, walk
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import BASE, HEAD, SIGNATURE

__all__ = ["console"]

ITEMS = int(os.environ.get("SCANTRAIL_BENCH_ITEMS", "100000"))
PLACES, AT_ONCE = 2_000, 1_000
PAGES = (
    "/find",
    "/board",
    "/exceptions",
    "/loads",
    "/loads?q=M-0001",
    "/loads/M-0007",
    "/loads/M-0007/manifest",
    "/stations",
    "/floor",
    "/floor?sort=oldest",
    "/figures",
    "/incidents",
    "/events",
    "/find?q=ring+7",
    "/items/P-00000007",
    "/items/P-00000007/report",
    "/places/A-01-1-1",
    "/people/B-0001",
    "/people/B-NOBODY",
)
"""The last is the worst of its kind: a page looks through all that it may, in vain."""
LOADS, ON_EACH = 200, 20
"""Loads that left, each without one of the items that were expected on it."""
ROUNDS = 5
GOAL = 1_000.0
"""Milliseconds in which a page can be used."""
A_SECOND, SECONDS, GATES = 50, 15, 5
"""Changes of the board a second, for how long, and by how many stations."""
WORKING = 300.0
"""Seconds in which what is worked out in the background has to be there."""
_MILLI = 1000.0
_DAY = 86_400 * SECOND
_PASSWORD = "correct horse battery"  # noqa: S105 # of nobody

_USABLE = """
() => {
  const [entry] = performance.getEntriesByType("navigation");
  return entry.loadEventEnd - entry.startTime;
}
"""
_WATCH = """
() => {
  window.seen = [];
  const note = () => {
    const figure = document.querySelector(".tile .figure").textContent;
    requestAnimationFrame(() => requestAnimationFrame(() =>
      window.seen.push([parseInt(figure, 10), Date.now()])));
  };
  new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
}
"""
"""Notes each figure of the first tile, once it certainly is on the screen."""


def _now() -> int:
    return time.time_ns() // 1000


# --- what is there before -------------------------------------------------------------


def _place(number: int) -> str:
    aisle, rest = divmod(number % PLACES, 100)
    return f"{chr(65 + aisle)}-{rest // 10 + 1:02}-{rest % 10 // 4 + 1}-{rest % 4 + 1}"


def _load(number: int, items: int) -> list[dict[str, Any]]:
    """Return what was done with a load: expected, titled, loaded but for one, left."""
    load, first = f"M-{number:04}", number * ON_EACH
    on_it = [f"P-{one % items:08}" for one in range(first, first + ON_EACH)]
    return [
        {"action": "note", "item": on_it[0], "title": f"Ring {number}"},
        *({"action": "expect", "item": one, "container": load} for one in on_it),
        *(
            {"action": "load", "item": one, "container": load, "location": "GATE"}
            for one in on_it[1:]
        ),
        {"action": "depart", "item": load, "location": "GATE"},
    ]


async def fill(path: Path, items: int) -> None:
    """Write so many items in stock, stored over the last sixty days, and loads."""
    store = await SqliteStore.open(path, _now)
    try:
        one, begun = await filler(store, 0), _now() - 60 * _DAY
        step = 59 * _DAY // max(items, 1)
        for first in range(0, items, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, items))
            await one.append(
                [
                    encode(
                        Line(
                            seq=number + 1,
                            at=to_text(begun + number * step),
                            action="store",
                            item=f"P-{number:08}",
                            location=_place(number),
                            operator="B-0001",
                        )
                    )
                    for number in numbers
                ]
            )
        said = [fields for load in range(LOADS) for fields in _load(load, items)]
        lines = [
            encode(
                Line(seq=seq, at=to_text(_now() - _DAY), operator="B-0001", **fields)
            )
            for seq, fields in enumerate(said, items + 1)
        ]
        for first in range(0, len(lines), AT_ONCE):
            await one.append(lines[first : first + AT_ONCE])
    finally:
        await store.close()


@asynccontextmanager
async def _serving(folder: Path) -> AsyncIterator[str]:
    kept = os.environ.get("SCANTRAIL_BENCH_DATA")
    data = Path(kept or folder) / f"items-{ITEMS}-loads-{LOADS}"
    if not (data / "scantrail.db").exists():  # nothing else runs yet
        data.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        await fill(data / "scantrail.db", ITEMS)
        print(f"filled with {ITEMS:,} items in {time.perf_counter() - began:.0f} s")
    person = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "scantrail-server"),
        *("person", "add", "Bea", "--role", "viewer", "--data", str(data)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await person.communicate(f"{_PASSWORD}\n".encode())
    async with server(data) as url:
        yield url


@asynccontextmanager
async def _signed_in(chromium: str, url: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        await page.goto(f"{url}/sign-in")
        await page.get_by_label("Name").fill("Bea")
        await page.get_by_label("Password").fill(_PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/find")
        yield page
        await browser.close()


# --- measures -------------------------------------------------------------------------


async def _usable(page: Page, url: str) -> dict[str, list[float]]:
    """Return for each page how long it took until it was loaded, each time."""
    times: dict[str, list[float]] = {path: [] for path in PAGES}
    for _ in range(ROUNDS):
        for path, found in times.items():
            answer = await page.goto(f"{url}{path}", wait_until="load")
            if answer is None or not answer.ok:
                reason = f"{path} was not answered"
                raise RuntimeError(reason)
            found.append(float(await page.evaluate(_USABLE)))
    return times


async def _worked_out(page: Page, url: str, path: str) -> float:
    """Return after how many seconds a page has what it works out in the background."""
    began = time.perf_counter()
    await page.goto(f"{url}{path}")
    await page.locator("[data-live] .lead").wait_for(timeout=WORKING * _MILLI)
    return time.perf_counter() - began


class _Gate:
    """A station at a gate: what left is scanned once more, one after the other."""

    def __init__(self, sending: Sending, session: aiohttp.ClientSession) -> None:
        self._sending, self._session = sending, session
        self._head = start(sending.log)

    async def see(self, items: list[str], begin: float) -> list[float]:
        """Scan one after the other from a moment on; return when each was durable."""
        acked = []
        for number, item in enumerate(items):
            due = begin + number * GATES / A_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await self.tell("see", [item])
            acked.append(time.time() * _MILLI)
        return acked

    async def tell(self, action: str, items: list[str]) -> None:
        """Send what was done with some items."""
        sending, after, base = self._sending, self._sending.lines, self._head
        lines = [
            encode(
                Line(
                    seq=after + number,
                    at=to_text(_now()),
                    action=action,
                    item=item,
                    location="GATE",
                )
            )
            for number, item in enumerate(items, 1)
        ]
        self._head, sending.lines = walk(base, lines)[-1], after + len(lines)
        signed = sending.sign(signed_message(sending.log, sending.lines, self._head))
        headers = {
            **sending.bearer,
            BASE: base.hex(),
            HEAD: self._head.hex(),
            SIGNATURE: base64.b64encode(signed).decode(),
        }
        sending.requests = [(after, b"\n".join(lines) + b"\n", headers)]
        await sending.send(self._session)


async def _following(page: Page, url: str) -> tuple[float, list[float]]:
    """Change the board many times a second, by several gates.

    Return how many times it was, and how long each change took to be seen, in ms.
    """
    items = [f"P-{_now()}-{number}" for number in range(A_SECOND * SECONDS)]
    shares = [items[number::GATES] for number in range(GATES)]
    async with aiohttp.ClientSession() as session:
        key = os.environ["SCANTRAIL_KEY"]
        gates = [_Gate(await joined(session, url, key), session) for _ in shares]
        for gate, share in zip(gates, shares, strict=True):
            await gate.tell("depart", share)
        await page.goto(f"{url}/board")
        await page.wait_for_timeout(2_000)
        before = int(await page.locator(".tile .figure").first.inner_text())
        await page.evaluate(_WATCH)
        began = time.perf_counter()
        told = [
            gate.see(share, began + number / A_SECOND)
            for number, (gate, share) in enumerate(zip(gates, shares, strict=True))
        ]
        acked = sorted(at for times in await asyncio.gather(*told) for at in times)
        rate = len(items) / (time.perf_counter() - began)
        await page.wait_for_timeout(5_000)
        seen = [(int(n) - before, at) for n, at in await page.evaluate("window.seen")]
    return rate, _lags(acked, seen)


def _lags(acked: list[float], seen: list[tuple[int, float]]) -> list[float]:
    """Return how long after it was durable each change was on the screen."""
    found, shown = [], iter(sorted(seen, key=lambda one: one[1]))
    number, at = next(shown, (0, 0.0))
    for change, durable in enumerate(acked, 1):
        while number < change:
            number, at = next(shown)  # StopIteration: the last was never seen
        found.append(max(0.0, at - durable))
    return found


async def console(folder: Path) -> list[Row]:
    """First pages, what is worked out, and the board; none where is no Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return []
    there = f"{ITEMS:,} items"
    async with _serving(folder) as url, _signed_in(chromium, url) as page:
        first = await _usable(page, url)
        floor = await _worked_out(page, url, "/floor")
        then = await _worked_out(page, url, f"/floor?at={to_text(_now() - _DAY)}")
        figures = await _worked_out(page, url, "/figures?days=1")
        rate, lags = await _following(page, url)
    rows = [
        Row(f"{path} usable, {there}, p50", percentile(times, 50), GOAL, "ms", "goal")
        for path, times in first.items()
    ]
    slowest = max(max(times) for times in first.values())
    tail = len(lags) // 5
    return [
        *rows,
        Row(f"the slowest of all, {there}", slowest, GOAL, "ms", "goal"),
        Row(f"floor counted, {there}", floor, None, "s"),
        Row(f"floor of a day ago, {there}", then, None, "s"),
        Row(f"figures worked out, {there}", figures, None, "s"),
        Row("changes of the board", rate, A_SECOND, "1/s", "goal"),
        Row("change to seen on the board, p50", percentile(lags, 50), None, "ms"),
        Row("change to seen on the board, p99", percentile(lags, 99), None, "ms"),
        Row(
            "the last fifth against the first, p50",
            percentile(lags[-tail:], 50),
            percentile(lags[:tail], 50),
            "ms",
            "the first",
        ),
    ]
