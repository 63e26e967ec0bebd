"""What was seen of a machine, a station and its server. Values only.

Moments are microseconds since 1970, and spans microseconds; sizes are bytes.
"""

from collections.abc import Mapping

import msgspec

from edge.config import Config
from edge.health import Status
from edge.scanners.discovery import Candidate, Holder

__all__ = ["Certificate", "Disk", "Facts", "Person", "Reads", "ServerSeen"]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The user that looks: the groups of this process, and those written for him."""

    name: str
    groups: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    superuser: bool = False


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Where the data folder is. ``flush`` is what one flushed write takes."""

    folder: str
    free: int = 0
    read_only: bool = False
    flush: int | None = None
    problem: str = ""


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    """A scanner's latest reads in the outbox: how many, and how many of a kind."""

    device: str
    reads: int = 0
    identified: int = 0
    damaged: int = 0


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a server showed of itself; ``names`` are those that it is for."""

    expires: int
    names: tuple[str, ...] = ()


class ServerSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking the server.

    ``problem`` says why it gave no answer, ``refusal`` why it does not take this
    station; ``offset`` is how far this machine's clock is ahead of its.
    """

    url: str
    problem: str = ""
    server: str = ""
    enrolled: str = ""
    refusal: str = ""
    offset: int | None = None
    certificate: Certificate | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        now: What this machine's clock shows.
        synced: Whether the kernel holds it to be synchronised.
        person: Who looks.
        candidates: Everything that could be a scanner.
        named: What each configured path, or VENDOR:PRODUCT, stands for.
        holders: Who has which node open, as far as this user may see.
        ruled: The nodes to which our udev rules were applied.
        rules: The file of our udev rules; empty where they are not installed.
        group: Whether the group that they name is there.
        processes: The names of the programs that run.
        evdev: Whether the library for keyboard scanners is installed.
        config: The station's configuration; none where it cannot be used.
        config_problem: Why it cannot.
        status: How the station does; none where there is none.
        status_problem: Why that is not known.
        newest: When the newest line of the outbox was recorded, by its own clock.
        reads: The latest reads of each scanner.
        disk: Where the data folder is.
        server: What came of asking the server; none where none was asked.
    """

    now: int
    synced: bool
    person: Person
    candidates: tuple[Candidate, ...] = ()
    named: Mapping[str, tuple[Candidate, ...]] = {}
    holders: Mapping[str, tuple[Holder, ...]] = {}
    ruled: frozenset[str] = frozenset()
    rules: str = ""
    group: bool = True
    processes: frozenset[str] = frozenset()
    evdev: bool = True
    config: Config | None = None
    config_problem: str = ""
    status: Status | None = None
    status_problem: str = ""
    newest: int | None = None
    reads: tuple[Reads, ...] = ()
    disk: Disk
    server: ServerSeen | None = None
