"""One examination: look at the machine, ask the server, judge both."""

import asyncio
from pathlib import Path

import msgspec

from edge import identity
from edge.clock import Clock, read_clock
from edge.doctor import Finding
from edge.doctor.condition import condition_findings
from edge.doctor.devices import device_findings
from edge.doctor.facts import Facts, Person, ServerSeen
from edge.doctor.machine import gather
from edge.doctor.server import ask
from edge.scanners.discovery import ROOT
from shared.errors import ScantrailError

__all__ = ["examine", "judge"]


def examine(
    data: Path,
    *,
    config: Path | None = None,
    root: Path = ROOT,
    person: Person | None = None,
    clock: Clock = read_clock,
    offline: bool = False,
) -> list[Finding]:
    """Look at everything, and return what there is to say.

    Args:
        data: The station's data folder.
        config: The configuration, if it is not the one in the data folder.
        root: Where /dev, /sys, /proc, /run and /etc are.
        person: Who looks; by default the user that this runs as.
        clock: Read once, and compared with the server's.
        offline: Do not ask the server.
    """
    facts = gather(data, root=root, config=config, person=person, clock=clock)
    seen = None if offline else _server(data, facts, clock)
    return judge(msgspec.structs.replace(facts, server=seen))


def judge(facts: Facts) -> list[Finding]:
    """Return what there is to say of facts."""
    return [*device_findings(facts), *condition_findings(facts)]


def _server(data: Path, facts: Facts, clock: Clock) -> ServerSeen | None:
    try:
        me = identity.load(data)
    except ScantrailError as error:
        return ServerSeen(url="", problem=str(error))
    if me is None:
        return None
    log = (facts.status.log if facts.status else None) or ""
    return asyncio.run(ask(me, log, clock=clock))
