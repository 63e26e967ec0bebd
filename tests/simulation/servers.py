"""The server's core on a database in memory: append, answer, restore, lose everything.

The real checks, the real timing and the real table of problems; no HTTP, no disk.
"""

import random
import sqlite3
from importlib import resources
from uuid import UUID

import msgspec

from edge.answers import Answer
from server.api.logs import acknowledgement
from server.delivery import Delivery
from server.problems import ProblemError
from server.site import DEFAULT
from server.store import Invitation, Joining, Station, joining
from server.store.audit import Report, report
from server.store.backups import mark_backed_up, start_over
from server.store.writing import append, keep_clocks
from shared.lines import decode
from shared.moments import to_text

__all__ = ["Kept", "Server"]

_SCHEMA = resources.files("server.store").joinpath("schema.sql").read_text("utf-8")


class Kept(msgspec.Struct, frozen=True):
    """A line that the server has: what was scanned, and when it says that was."""

    uid: str
    occurred: int
    lo: int
    hi: int


class Server:
    """One server, through all of its lives."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._received = 0
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._begin()

    def _begin(self) -> None:
        self._db.executescript(_SCHEMA)
        for name in ("server", "epoch"):
            self._db.execute("INSERT INTO meta VALUES (?, ?)", (name, self._uuid()))

    def _uuid(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128)))

    @property
    def epoch(self) -> str:
        """Which of its lives this is."""
        found = self._db.execute("SELECT value FROM meta WHERE name = 'epoch'")
        return str(found.fetchone()[0])

    def join(self, name: str, log: str, key: bytes, now: int) -> Station:
        """Let a station join, or join anew."""
        code = self._chance.randbytes(16)
        with self._db:
            joining.invite(
                self._db,
                Invitation(
                    name=name,
                    location=None,
                    kind="station",
                    code_hash=code,
                    expires=now + 1,
                    replaces=True,
                ),
                now,
            )
            return joining.enrol(
                self._db,
                Joining(
                    code_hash=code,
                    log=log,
                    token_hash=self._chance.randbytes(16),
                    public_key=key,
                    version="",
                    host="",
                ),
                now,
            )

    def take(self, station: Station, delivery: Delivery, now: int) -> Answer:
        """Append, and answer as over HTTP."""
        self._received = max(now, self._received + 1)
        self._db.execute("BEGIN")
        try:
            done = append(
                self._db, station, delivery, self._received, DEFAULT, heard=now
            ).receipt
        except ProblemError as error:
            self._db.execute("ROLLBACK")
            with self._db:
                keep_clocks(self._db, station, delivery, self._received, heard=now)
            return Answer(
                status=error.problem.status,
                content_type="application/problem+json",
                body=msgspec.json.encode(error.problem),
            )
        self._db.execute("COMMIT")
        said = acknowledgement(done, epoch=self.epoch, reference="")
        return Answer(
            status=200, content_type="application/json", body=msgspec.json.encode(said)
        )

    # --- backups ----------------------------------------------------------------------

    def back_up(self) -> bytes:
        """Copy the database, and tell the stations that there is a checked copy."""
        copy = self._db.serialize()
        acked = self.report().acked
        with self._db:
            mark_backed_up(self._db, acked)
        return copy

    def restore(self, copy: bytes, now: int) -> None:
        """Come back from a backup, as a new epoch."""
        self._db.close()
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.deserialize(copy)
        with self._db:
            start_over(self._db, epoch=self._uuid(), made_at=to_text(now), now=now)

    def lose(self) -> None:
        """Begin again with nothing at all."""
        self._db.close()
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._begin()

    # --- what the checker asks --------------------------------------------------------

    def report(self) -> Report:
        """Check every chain, signature and seal."""
        return report(self._db, {})

    def kept(self) -> list[Kept]:
        """Return everything that was scanned and is here, in the server's order."""
        found = self._db.execute(
            "SELECT line, occurred, lo, hi FROM line ORDER BY position"
        )
        return [
            Kept(decode(line).raw or "", occurred, lo, hi)
            for line, occurred, lo, hi in found
        ]

    def orders(self) -> list[list[str]]:
        """Return of each log what was scanned, in its order."""
        logs = self._db.execute("SELECT id FROM log ORDER BY id").fetchall()
        return [
            [
                decode(line).raw or ""
                for (line,) in self._db.execute(
                    "SELECT line FROM line WHERE log = ? ORDER BY seq", (log,)
                )
            ]
            for (log,) in logs
        ]
