"""A station in the guest: the installed program, started, watched, and read."""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from edge.health import Report, ScannerReport
from shared.lines import Line, decode
from tests.vm.guest import Guest

__all__ = [
    "BIN",
    "DATA",
    "GuestStation",
    "Seen",
    "as_user",
    "configure",
    "install_rules",
    "keyboard",
    "point_of_sale",
    "serial_port",
    "texts",
]

BIN = "/opt/scantrail/bin"
DATA = "/var/lib/scantrail"
_LIMIT = 120.0


class Seen(msgspec.Struct, frozen=True):
    """What the station's report said, and when: the guest's clock, in seconds."""

    scanner: ScannerReport
    clock: float


class GuestStation:
    """A station that has joined no server: it only saves.

    Args:
        guest: Where.
        folder: On this machine, for copies of its outbox.
    """

    def __init__(self, guest: Guest, folder: Path) -> None:
        self._guest = guest
        self._folder = folder

    def start(self, config: str, *, user: str = "scantrail") -> None:
        """Start it with a configuration, and wait until it runs."""
        guest = self._guest
        guest.run(f"rm -f {DATA}/status.json")
        configure(guest, config, user=user)
        run = as_user(f"{BIN}/scantrail-station run --data {DATA}", user)
        out = f">>{DATA}/out 2>>{DATA}/err </dev/null"
        guest.run(f"cd {DATA}; setsid {run} {out} &")
        guest.until(lambda: self._report() is not None, "it runs", _LIMIT)

    @property
    def pid(self) -> int:
        """Its process."""
        report = self._report()
        assert report is not None
        return report.pid

    def signal(self, name: str) -> None:
        """Send the program a signal."""
        self._guest.run(f"kill -{name} {self.pid}")

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self.signal("TERM")
        self._guest.until(self._has_ended, "it ends")

    def wait_for(
        self,
        holds: Callable[[ScannerReport], bool],
        what: str,
        scanner: int = 0,
    ) -> Seen:
        """Wait until its report of a scanner says something."""
        found: list[Seen] = []

        def looked() -> bool:
            seen = self.seen(scanner)
            if seen is not None and holds(seen.scanner):
                found.append(seen)
            return bool(found)

        self._guest.until(looked, f"{what}; it said: {self.seen(scanner)}", _LIMIT)
        return found[0]

    def connected(self, scanner: int = 0) -> Seen:
        """Wait until a scanner is connected."""
        return self.wait_for(lambda one: one.connected, "connected", scanner)

    def missing(self, scanner: int = 0) -> Seen:
        """Wait until a scanner is missing."""
        return self.wait_for(
            lambda one: not one.connected and bool(one.problem), "missing", scanner
        )

    def reads(self, number: int, scanner: int = 0) -> Seen:
        """Wait until a scanner has delivered so many reads."""
        return self.wait_for(lambda s: s.reads >= number, f"{number} reads", scanner)

    def seen(self, scanner: int = 0) -> Seen | None:
        """Return what its report says of a scanner now."""
        answer = self._guest.look(files=[f"{DATA}/status.json"])
        data = answer.files[f"{DATA}/status.json"]
        if not data:
            return None
        report = msgspec.json.decode(data, type=Report)
        return Seen(report.scanners[scanner], answer.clock)

    def said(self) -> str:
        """Return what it has said so far, beside what became of scans."""
        return self._guest.read(f"{DATA}/err").decode()

    def settled(self, number: int = 0) -> list[Line]:
        """Wait for so many lines, and until none has come for a while; return all."""
        kept: list[Line] = []

        def settled() -> bool:
            before = len(kept)
            kept[:] = self._lines()
            return len(kept) >= number and len(kept) == before

        self._guest.until(settled, f"{number} lines", _LIMIT, every=1.0)
        return kept

    def _lines(self) -> list[Line]:
        """Read the lines of its outbox, from a copy."""
        names = ["outbox.db", "outbox.db-wal"]
        files = self._guest.look(files=[f"{DATA}/{name}" for name in names]).files
        for name in names:
            (self._folder / name).write_bytes(files[f"{DATA}/{name}"] or b"")
        with contextlib.closing(sqlite3.connect(self._folder / names[0])) as db:
            rows = db.execute("SELECT bytes FROM line ORDER BY position").fetchall()
        return [decode(row[0]) for row in rows]

    def _report(self) -> Report | None:
        data = self._guest.read(f"{DATA}/status.json")
        return msgspec.json.decode(data, type=Report) if data else None

    def _has_ended(self) -> bool:
        report = self._report()
        return report is not None and report.ended


def as_user(command: str, user: str) -> str:
    """Return a command line that runs another as a user with its groups."""
    who = f"setpriv --reuid {user} --regid {user} --init-groups"
    return f"env LANG=C.UTF-8 {who} {command}"


def configure(guest: Guest, config: str, *, user: str = "scantrail") -> None:
    """Make the data folder, and write the configuration."""
    guest.run(f"install -d -o {user} {DATA}")
    guest.put(f"{DATA}/station.toml", config)
    guest.run(f"chown {user} {DATA}/station.toml")


def install_rules(guest: Guest, site: str = "") -> None:
    """Install the project's udev rules, with a site's own file before them."""
    folder = Path(__file__).parents[2] / "systemd"
    rules = {file.name: file.read_text() for file in folder.glob("*.rules")}
    for name, text in (rules | {"60-scantrail-site.rules": site}).items():
        guest.put(f"/etc/udev/rules.d/{name}", text)
    guest.run("udevadm control --reload")


def texts(lines: Iterable[Line]) -> list[tuple[str, bool]]:
    """Return what each line's scan was, and whether it was damaged."""
    return [(line.raw or "", bool(line.damaged)) for line in lines]


def keyboard(path: str, name: str = "", *, idle_gap_ms: int = 2000) -> str:
    """Configure a scanner that imitates a keyboard; a guest is a slow machine."""
    return _scanner(
        "keyboard", path=path, name=name, idle_gap_ms=idle_gap_ms, slow_ms=0
    )


def serial_port(port: str, *, idle_gap_ms: int = 2000) -> str:
    """Configure a scanner on a serial port."""
    framing = f"[scanner.framing]\nidle_gap_ms = {idle_gap_ms}\n"
    return _scanner("serial", port=port) + framing


def point_of_sale(path: str) -> str:
    """Configure a scanner in HID point-of-sale mode."""
    return _scanner("hid-pos", path=path, idle_gap_ms=5000)


def _scanner(kind: str, **settings: str | int) -> str:
    rows = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join(["[[scanner]]", f'kind = "{kind}"', *rows, ""])
