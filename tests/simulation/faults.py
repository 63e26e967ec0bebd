"""Every fault that the simulation knows, as a step of a world.

The table at the end names each with the row of the list of faults that it stands for;
`World` draws from it. A log has two branches at most: where two copies of a card share
what the server lacks, and a third took its place in the log, each tells it anew, and
nothing says that it is one. What a fault destroys for good (an old outbox
put back over scans that were nowhere else) it reports, so that the checker asks for
nothing impossible.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from edge.answers import Answer, NoAnswer
from shared.moments import SECOND
from tests.simulation.clocks import HOUR
from tests.simulation.stations import Request, StationSim

if TYPE_CHECKING:
    from tests.simulation.world import World

__all__ = ["FAULTS", "NETWORK", "Fault", "Way"]

Way = Callable[["World", Request], Answer | NoAnswer]
"""A way that a request may take."""

Fault = Callable[["World", StationSim], None]
"""Something that happens to a station, or to the server while a station looks on."""

_PAGE = Answer(status=200, content_type="text/html", body=b"<h1>Please sign in</h1>")
_FORGED = Answer(status=200, content_type="application/json", body=b'{"acked": 99}')
_MOVED = Answer(status=302, location="https://elsewhere.example/")


def _lost(_: "World", __: Request) -> Answer | NoAnswer:
    return NoAnswer(problem="lost on its way", timed_out=True)


def _answer_lost(world: "World", request: Request) -> Answer | NoAnswer:
    world.reach(request)
    return NoAnswer(problem="its answer was lost", timed_out=True)


def _twice(world: "World", request: Request) -> Answer | NoAnswer:
    world.reach(request)
    return world.reach(request)


def _late(world: "World", request: Request) -> Answer | NoAnswer:
    """Let it arrive behind the next ones; nothing holds a request back for hours."""
    due = world.now + world.chance.randrange(SECOND, 20 * SECOND)
    world.delayed.append((due, request))
    return NoAnswer(problem="it takes too long", timed_out=True)


def _answers(answer: Answer) -> Way:
    return lambda _, __: answer


def _busy(world: "World", request: Request) -> Answer | NoAnswer:
    del request
    seconds = str(world.chance.choice((0, 1, 30, 10**9)))
    return Answer(status=world.chance.choice((429, 503)), retry_after=seconds)


def _too_large(world: "World", request: Request) -> Answer | NoAnswer:
    if len(request.delivery.lines) <= 1:
        return world.reach(request)
    return Answer(
        status=413,
        content_type="application/problem+json",
        body=b'{"type":"urn:scantrail:problem:too-large","title":"","status":413}',
    )


def _poison(world: "World", request: Request) -> Answer | NoAnswer:
    """Refuse one line of them for ever, unless it comes as opaque bytes."""
    delivery = request.delivery
    if delivery.opaque or not any(b'.13"' in line for line in delivery.lines):
        return world.reach(request)
    return Answer(
        status=422,
        content_type="application/problem+json",
        body=b'{"type":"urn:scantrail:problem:framing","title":"","status":422}',
    )


NETWORK: Mapping[str, Way] = MappingProxyType(
    {
        "f32 request lost": _lost,
        "f32 answer lost": _answer_lost,
        "f33 delivered twice": _twice,
        "f33 delivered late": _late,
        "f34 a page instead": _answers(_PAGE),
        "f34 a forged acknowledgement": _answers(_FORGED),
        "f35 sent elsewhere": _answers(_MOVED),
        "f39 busy": _busy,
        "f40 too large": _too_large,
        "f42 poison": _poison,
    }
)
"""What may happen to one request."""


# --- stations -------------------------------------------------------------------------


def _crash(_: "World", station: StationSim) -> None:
    station.crash()


def _reboot(world: "World", station: StationSim) -> None:
    station.crash()
    station.machine.reboot(world.now)


def _boot_without_clock(world: "World", station: StationSim) -> None:
    station.crash()
    years = world.chance.choice((-56, -26, -3, 1, 10))
    station.machine.reboot(world.now, offset=years * 365 * 24 * HOUR)


def _step(world: "World", station: StationSim) -> None:
    hours = world.chance.choice((-5, -1, 1, 7))
    station.machine.offset += hours * HOUR + world.chance.randrange(SECOND)


def _set_right(_: "World", station: StationSim) -> None:
    station.machine.offset = 0


def _sleep(world: "World", _: StationSim) -> None:
    world.now += world.chance.randrange(HOUR, 24 * HOUR)


def _keep_a_copy(_: "World", station: StationSim) -> None:
    station.copied = station.copy()


def _put_back(world: "World", station: StationSim) -> None:
    if station.copied is not None and not station.branched:
        station.put_back(station.copied)
        station.branched = True
        world.destroyed()


def _clone(world: "World", station: StationSim) -> None:
    """Copy the card: two machines with one identity from here on."""
    if station.branched:
        return
    name = f"{station.name}c{len(world.stations)}"
    twin = StationSim(name, world.chance, world.now, station.copy())
    twin.key, twin.joined = station.key, station.joined
    station.branched = twin.branched = True
    world.stations.append(twin)


def _reinstall(world: "World", station: StationSim) -> None:
    """Begin with an empty card, under the same name."""
    station.put_back(None)
    station.branched = False
    world.join(station)
    world.destroyed()


def _prune(_: "World", station: StationSim) -> None:
    station.prune()


# --- the server -----------------------------------------------------------------------


def _back_up(world: "World", _: StationSim) -> None:
    world.backups.append(world.server.back_up())


def _replay(world: "World", _: StationSim) -> None:
    """Send again what somebody captured, days later."""
    if world.captured:
        world.reach(world.chance.choice(world.captured))


def _restore(world: "World", _: StationSim) -> None:
    """Come back from the newest backup: only what is in it was ever pruned."""
    if world.backups:
        world.server.restore(world.backups[-1], world.now)
        world.captured.clear()
        world.destroyed()


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "f20 killed": _crash,
        "f61 no clock": _boot_without_clock,
        "f62 clock stepped": _step,
        "f62 clock set right": _set_right,
        "f64 asleep": _sleep,
        "f67 rebooted": _reboot,
        "f12 copy kept": _keep_a_copy,
        "f12 copy put back": _put_back,
        "f48 installed anew": _reinstall,
        "f49 card copied": _clone,
        "f52 replayed": _replay,
        "f54 backed up": _back_up,
        "f54 pruned": _prune,
        "f54 restored": _restore,
    }
)
"""What may happen between two exchanges."""
