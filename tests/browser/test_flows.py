"""The screen of a real station, fed by a scanner on a pseudo-terminal."""

import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page

from edge import identity
from edge.identity import Identity
from edge.reference import Reference as Copied
from edge.reference import save
from shared.lines import Line, decode
from shared.reference import Reference, WantedItem
from tests.browser.conftest import Opens
from tests.browser.looking import notes, text
from tests.programs import Server, Station, station, until

WHEN_GONE = """
() => { window.changed = new Promise((done) => {
  new MutationObserver(() => done(Date.now()))
    .observe(document.getElementById("gone"), { attributes: true }); }); }
"""


class Kiosk:
    """A station with a screen: its data, its address."""

    def __init__(self, data: Path) -> None:
        self.data = data
        data.mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        (data / "station.toml").write_text(f"[display]\nkiosk = {self.port}\n")

    @contextmanager
    def running(self) -> Iterator[Station]:
        with station(self.data) as process:
            until(self._served, "the screen is served")
            yield process

    def _served(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def lines(self) -> list[Line]:
        uri = f"{(self.data / 'outbox.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            rows = database.execute("SELECT bytes FROM line ORDER BY position")
            return [decode(line) for (line,) in rows]


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    return Kiosk(tmp_path / "DOCK-1")


def scan(page: Page, process: Station, code: str, word: str) -> None:
    """Scan a code, and wait until the screen says what became of it."""
    page.locator("#latest[data-key]").wait_for()
    number = page.locator("#latest").get_attribute("data-key")
    process.scan(code)
    page.wait_for_function(
        "key => document.getElementById('latest').dataset.key !== key", arg=number
    )
    assert page.locator("#latest").get_attribute("data-word") == word, code


def test_a_shift_at_a_station_without_a_server(kiosk: Kiosk, opened: Opens) -> None:
    with kiosk.running() as process:
        page = opened(kiosk.url)
        page.locator("#title", has_text="READY").wait_for()
        say = partial(scan, page, process)
        say("B-ANA", "waiting")
        assert text(page, "#badge") == "B-ANA"
        say("X-RECEIVE", "waiting")
        assert text(page, "#mode") == "RECEIVE"
        say("P-1", "waiting")
        assert text(page, "#title") == "SAVED, WAITING"
        assert text(page, "#text") == "P-1 received by B-ANA"
        say("P-1", "repeat")
        say("X-STORE", "waiting")
        assert text(page, "#next-text") == "location"
        say("P-1", "waiting")
        say("L-A-02", "waiting")
        assert text(page, "#text") == "P-1 stored at A-02 by B-ANA"
        say("!!??", "unknown")
        say("]E09521234543213", "refused")
        say("9" * 9000, "damaged")
        assert len(text(page, "#code")) == 64
        say("X-NOSUCH", "unknown")
        say("B-ANA", "waiting")
        assert text(page, "#badge") == "nobody"
        assert page.locator("#scans li").count() == 10
        assert text(page, "#waiting") == "12 waiting, safe here"
        tones = [note["wave"] for note in notes(page)]
    assert tones.count("sine") == 7
    assert tones.count("triangle") == 2 * 2
    assert tones.count("sawtooth") == 3 * 3
    assert len(kiosk.lines()) == 12


def test_undo_by_touch_is_a_void_line_and_can_be_repeated(
    kiosk: Kiosk, opened: Opens
) -> None:
    with kiosk.running() as process:
        page = opened(kiosk.url, has_touch=True)
        for code in ("X-RECEIVE", "P-1", "P-2"):
            scan(page, process, code, "waiting")
        page.get_by_role("button", name="Undo P-2").tap()
        page.get_by_role("button", name="Undo P-1").tap()
        page.get_by_role("button", name="Undo X-RECEIVE").wait_for()
        assert text(page, "#text") == "undone: the scan of P-1"
        struck = page.locator("#scans s").all_inner_texts()
    assert struck == ["P-2", "P-1"]
    voids = [line.voids for line in kiosk.lines() if line.action == "void"]
    assert [str(name).rpartition(":")[2] for name in voids] == ["3", "2"]


def test_with_a_server_that_goes_and_comes_back(
    kiosk: Kiosk, opened: Opens, tmp_path: Path
) -> None:
    server = Server(tmp_path / "server")
    server.start()
    server.join(kiosk.data)
    with kiosk.running() as process:
        page = opened(kiosk.url)
        server_light = page.locator("[data-part=server]")
        server_light.get_by_text("the server has everything").wait_for()
        scan(page, process, "P-1", "saved")
        server.stop()
        scan(page, process, "P-2", "saved")  # it has yet to find out
        server_light.get_by_text("cannot be reached").wait_for()
        scan(page, process, "P-3", "waiting")
        assert text(page, "#waiting") == "2 waiting, safe here"
        server.start()
        page.locator("#waiting", has_text="nothing waiting").wait_for(timeout=30_000)
        scan(page, process, "P-4", "saved")
    server.stop()


def test_a_station_that_is_killed_is_missed_within_two_seconds_and_taken_up_again(
    kiosk: Kiosk, opened: Opens
) -> None:
    with kiosk.running() as process:
        page = opened(kiosk.url)
        scan(page, process, "P-1", "waiting")
        notes(page)
        page.evaluate(WHEN_GONE)
        before = time.time()
        process.kill()
        noticed = page.evaluate("window.changed") / 1000
        assert noticed - before < 2.0
        page.get_by_text("STATION NOT RUNNING").wait_for()
        assert {note["wave"] for note in notes(page)} == {"sawtooth"}
    with kiosk.running() as process:
        page.locator("#gone").wait_for(state="hidden")
        page.locator("#title", has_text="READY").wait_for()
        scan(page, process, "P-2", "waiting")
        page.get_by_role("button", name="Undo P-2").click()
        page.locator("#text", has_text="undone: the scan of P-2").wait_for()


def test_a_station_that_hangs_is_missed_within_two_seconds(
    kiosk: Kiosk, opened: Opens
) -> None:
    with kiosk.running() as process:
        page = opened(kiosk.url)
        scan(page, process, "P-1", "waiting")
        page.evaluate(WHEN_GONE)
        before = time.time()
        process.process.send_signal(signal.SIGSTOP)
        try:
            noticed = page.evaluate("window.changed") / 1000
        finally:
            process.process.send_signal(signal.SIGCONT)
        assert noticed - before < 2.5
        page.locator("#gone").wait_for(state="hidden")
        scan(page, process, "P-2", "waiting")


def test_a_handoff_is_confirmed_by_list_and_closed_short_by_touch(
    kiosk: Kiosk, opened: Opens
) -> None:
    with (kiosk.data / "station.toml").open("a") as settings:
        settings.write('[workflow]\nlocation = "PACK-1"\n')
    with kiosk.running() as process:
        page = opened(kiosk.url)
        say = partial(scan, page, process)
        for code in ("X-PACK", "C-1", "P-1", "P-2", "P-3", "X-HANDOFF"):
            say(code, "waiting")
        assert text(page, "#next-text") == "your badge"
        say("B-CAS", "waiting")
        assert text(page, "#next-text") == "badge of who hands over"
        say("B-ANA", "waiting")
        assert (text(page, "#giver"), text(page, "#receiver")) == ("B-ANA", "B-CAS")
        say("C-1", "waiting")
        assert text(page, "#tally").split() == ["0", "/", "3"]
        say("P-2", "waiting")
        assert page.locator("[data-list=missing] li").all_inner_texts() == [
            "P-1",
            "P-3",
        ]
        process.scan("P-9")
        page.locator("[data-list=foreign]", has_text="P-9").wait_for()
        process.scan("P-2")
        page.locator("[data-list=repeated]", has_text="P-2").wait_for()
        page.get_by_role("button", name="comes later").click()
        page.locator("#text", has_text="closed without 2 of 3: comes later").wait_for()
        assert page.locator("#lists").is_hidden()
    told = kiosk.lines()
    assert [line.item for line in told if line.action == "miss"] == ["P-1", "P-3"]
    touched = [line.raw for line in told if line.device == "screen" and line.raw]
    assert touched == ["X-LATER"]
    (taken,) = (n for n in told if (n.action, n.item) == ("accept", "P-2"))
    assert (taken.operator, taken.giver) == ("B-CAS", "B-ANA")


def test_what_is_wanted_is_said_while_the_server_is_away(
    kiosk: Kiosk, opened: Opens
) -> None:
    nobody = Identity(
        url="http://127.0.0.1:9",
        server="s",
        station="DOCK-1",
        epoch="e",
        token="t",  # noqa: S106 - of a server that there is not
        key=Ed25519PrivateKey.generate(),
    )
    identity.save(kiosk.data, nobody)
    known = Reference(wanted=(WantedItem(item="P-7", reason="customs", by="EVA"),))
    document = msgspec.Raw(msgspec.json.encode(known))
    save(kiosk.data, Copied(etag='"1"', document=document))
    with kiosk.running() as process:
        page = opened(kiosk.url)
        scan(page, process, "P-1", "waiting")
        notes(page)
        scan(page, process, "P-7", "wanted")
        assert text(page, "#title") == "WANTED!"
        assert "customs (EVA looks for it)" in text(page, "#text")
        assert len(notes(page)) == 4


ATTACK = """
async (at) => {
  const told = [];
  const body = JSON.stringify({ token: "", code: "X-UNDO", number: 1 });
  const headers = { "Content-Type": "application/json" };
  for (const mode of ["no-cors", "cors"]) {
    for (const [path, options] of [
      ["touch", { method: "POST", body }],
      ["touch", { method: "POST", body, headers }],
      ["events", {}], ["", {}],
    ]) {
      try {
        const signal = AbortSignal.timeout(3000); // a stream has no end
        const answer = await fetch(at + path, { mode, signal, ...options });
        told.push(await answer.text());
      } catch { told.push(""); }
    }
  }
  const source = new EventSource(at + "events");
  told.push(await new Promise((done) => {
    source.onerror = () => done("");
    source.addEventListener("hello", (event) => done(event.data));
  }));
  return told.join("");
}
"""


class _Evil(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>a page elsewhere</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def elsewhere() -> Iterator[int]:
    """Serve a page of another origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Evil) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def test_no_page_elsewhere_can_read_the_screen_or_touch_it(
    kiosk: Kiosk, browser: Browser, opened: Opens
) -> None:
    with kiosk.running() as process, elsewhere() as port:
        page = opened(kiosk.url)
        scan(page, process, "P-1", "waiting")
        for origin in (f"http://127.0.0.1:{port}/", f"http://evil.example:{port}/"):
            with closing(browser.new_page()) as other:
                other.goto(origin)
                assert other.evaluate(ATTACK, kiosk.url) == ""
        scan(page, process, "P-2", "waiting")
        rebound = f"http://evil.example:{kiosk.port}/"
        with closing(browser.new_page()) as other:
            answer = other.goto(rebound)
            assert answer is not None
            assert answer.status == 403
            assert other.evaluate(ATTACK, rebound).count("Host header") > 0
            assert "token" not in other.content()
    assert [line.raw for line in kiosk.lines()] == ["P-1", "P-2"]
