"""Which stations could have seen an item: those near its way, not the most silent."""

from server.answers import Horizon
from server.console.shown import signed
from server.console.timeline import Step
from server.console.witnesses import Witness, nearest_first, then_at, witnesses
from server.station_exceptions import Seen
from shared.api.stations import Untold
from shared.hosts import HostLine


def station(name: str, location: str | None = None, **more: object) -> Seen:
    fields = {"name": name, "kind": "station", "location": location, "joined": 1}
    return Seen(**{**fields, "horizon": 50, **more})  # type: ignore[arg-type]


def step(name: str, location: str, action: str = "see") -> Step:
    return Step(
        event="a:1",
        line=HostLine(seq=1, at="", action=action, location=location),
        scan=True,
        occurred=0,
        lo=0,
        hi=0,
        received=0,
        station=name,
        via=None,
        void=None,
    )


def test_the_nearest_come_first_and_each_once() -> None:
    seen = [
        *(station(f"FAR-{n}", f"F-{n}") for n in range(9)),
        station("PACK-1", "PACK", horizon=20),
        station("GATE", "GATE", horizon=None),
        station("SHELF", "A-1"),
        station("GONE", "A-1", revoked=3),
        station("SHOP", "A-1", kind="host"),
        station("HAND"),
    ]
    story = [step("HAND", "A-2"), step("HAND", "A-1")]
    horizon = Horizon(behind=(("GATE", None), ("FAR-1", 1), ("PACK-1", 20)))
    found = witnesses(seen, story, {"A-1"}, horizon, ["PACK-1", "HAND"])
    assert [(one.station, one.why, one.behind) for one in found] == [
        ("SHELF", "last", False),
        ("HAND", "scanned", False),
        ("PACK-1", "next", True),
    ]
    behind = [
        Untold(station=n, complete_until=None) for n in ("GATE", "FAR-1", "PACK-1")
    ]
    near = [*found, Witness(station="GATE", why="route", until=None, behind=True)]
    assert [one.station for one in nearest_first(behind, near)] == [
        *("PACK-1", "GATE", "FAR-1"),
    ]


def test_what_comes_next_is_what_was_done_with_others() -> None:
    told = [
        ("PICK", HostLine(seq=1, at="", action="pick", item="P-1")),
        ("PICK", HostLine(seq=2, at="", action="pick", item="P-2")),
        ("DOCK", HostLine(seq=1, at="", action="see", item="P-1")),
        ("PACK", HostLine(seq=1, at="", action="accept", item="P-2")),
        ("PACK", HostLine(seq=2, at="", action="pack", item="P-2")),
        ("PACK", HostLine(seq=3, at="", action="pick", item="P-3")),
        ("PACK", HostLine(seq=4, at="", action="accept", item="P-3")),
        ("GATE", HostLine(seq=4, at="", action="load", item="P-1", refused="no")),
    ]
    assert then_at(told, "pick") == ["PACK", "DOCK"]
    assert then_at(told, "pick", {"see"}) == ["DOCK"]
    assert then_at(told, "depart") == []


def test_a_clock_that_is_right_is_not_behind_by_nothing() -> None:
    assert [signed(v, 1) for v in (-0.04, 0.0, 0.04, -0.06, 1.26)] == [
        *("0.0", "0.0", "0.0", "-0.1", "+1.3"),
    ]
