"""When did it happen: FAULTS 61 to 68 by their numbers, and the contract's words."""

import pytest

from server.timing import (
    DELAY,
    SPACING,
    TOLERANCE,
    Anchor,
    Basis,
    BootClock,
    Span,
    When,
    agreeing,
    boot_clock,
    place_all,
    stands_for,
    wrong_periods,
)
from shared.lines import Line
from shared.moments import SECOND, to_moment, to_text
from shared.protocol import ClockReading

HOUR = 3600 * SECOND
DAY = 24 * HOUR
YEARS = 3653 * DAY
NOW = 1_777_000_000 * SECOND
"""The true time of the exchange; mono is 10 hours in each boot at that moment."""
MONO = 10 * HOUR


def anchor(
    *,
    ago: int = 0,
    wall: int = 0,
    boot: str = "b",
    synced: bool = False,
    server: int = 0,
) -> Anchor:
    """An exchange some time ago, with both clocks off by so much."""
    clock = ClockReading(at=NOW - ago + wall, boot=boot, mono=MONO - ago, synced=synced)
    return Anchor(clock=clock, heard=NOW - ago + server, received=NOW - ago)


def line(
    ago: int, *, wall: int = 0, boot: str | None = "b", synced: bool | None = None
) -> Line:
    """A line of some time ago, by a wall clock that was off by so much."""
    at = to_text(max(0, NOW - ago + wall))
    mono = None if boot is None else MONO - ago
    return Line(seq=1, at=at, boot=boot, mono=mono, synced=synced, action="see")


def placed(
    *lines: Line | None,
    anchors: tuple[Anchor, ...] = (),
    before: When | None = None,
    received: int = NOW,
) -> list[When]:
    """Place lines that the last of the exchanges brought."""

    def clocks(boot: str) -> BootClock | None:
        return boot_clock(a for a in anchors if a.clock.boot == boot)

    request = anchors[-1] if anchors else None
    return place_all(
        lines, clocks=clocks, request=request, before=before, received=received
    )


def known(occurred: int) -> When:
    return When(occurred=occurred, lo=occurred, hi=occurred, basis=Basis.BOOT)


def test_where_the_clock_was_right_at_stands() -> None:
    (when,) = placed(line(HOUR), anchors=(anchor(),))
    assert (when.occurred, when.basis) == (NOW - HOUR, Basis.CLOCK)
    assert when.lo <= NOW - HOUR <= when.hi


def test_where_the_clock_was_wrong_the_boot_clock_counts_back_from_the_request() -> (
    None
):
    (when,) = placed(line(HOUR, wall=3 * DAY), anchors=(anchor(wall=3 * DAY),))
    assert (when.occurred, when.basis) == (NOW - HOUR, Basis.BOOT)


def test_a_synchronised_clock_is_right_also_where_the_way_was_slow() -> None:
    slow = anchor(wall=-20 * SECOND, synced=True)
    (when,) = placed(line(HOUR, wall=-20 * SECOND, synced=True), anchors=(slow,))
    assert (when.occurred, when.basis) == (NOW - HOUR - 20 * SECOND, Basis.CLOCK)
    assert when.hi - when.lo <= 2 * TOLERANCE
    (other,) = placed(
        line(HOUR, wall=-20 * SECOND), anchors=(anchor(wall=-20 * SECOND),)
    )
    assert (other.occurred, other.basis) == (NOW - HOUR, Basis.BOOT)


def test_a_line_without_a_boot_clock_stands_as_it_is_written() -> None:
    (when,) = placed(line(HOUR, boot=None), anchors=(anchor(),))
    assert when.occurred == NOW - HOUR
    (wrong,) = placed(line(HOUR, boot=None, wall=DAY), anchors=(anchor(wall=DAY),))
    assert wrong.lo <= NOW - HOUR <= wrong.hi


@pytest.mark.parametrize("epoch", [0, 946_684_800 * SECOND, NOW - 40 * DAY])
def test_f61_without_a_clock_the_interval_holds_the_truth(epoch: int) -> None:
    wall = epoch - (NOW - MONO)
    lines = [line(ago * HOUR, wall=wall) for ago in (9, 5, 1)]
    whens = placed(*lines, anchors=(anchor(wall=wall),))
    assert [when.occurred for when in whens] == [NOW - ago * HOUR for ago in (9, 5, 1)]
    unmet = placed(*lines, line(0, boot="c"), anchors=(anchor(boot="c"),))
    for when, ago in zip(unmet, (9, 5, 1, 0), strict=True):
        assert when.lo <= NOW - ago * HOUR <= when.hi
    assert [when.occurred for when in unmet] == sorted(when.occurred for when in unmet)


@pytest.mark.parametrize("step", [-3 * HOUR, -HOUR, HOUR, 3 * HOUR])
def test_f62_a_step_of_the_clock_leaves_the_times_in_order(step: int) -> None:
    lines = [line(2 * HOUR, wall=step), line(HOUR + SECOND, wall=step), line(HOUR)]
    whens = placed(*lines, anchors=(anchor(),))
    assert [when.occurred - NOW for when in whens] == [-2 * HOUR, -HOUR - SECOND, -HOUR]
    assert [when.basis for when in whens] == [Basis.BOOT, Basis.BOOT, Basis.CLOCK]


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-10-25T02:30:00.000000+02:00", "2026-10-25T00:30:00.000000Z"),
        ("2026-10-25T02:30:00.000000+01:00", "2026-10-25T01:30:00.000000Z"),
        ("2038-01-19T03:14:08.000000Z", "2038-01-19T03:14:08.000000Z"),
        ("2100-02-28T23:59:59.999999Z", "2100-02-28T23:59:59.999999Z"),
    ],
)
def test_f63_summer_time_zones_and_2038_change_no_moment(local: str, utc: str) -> None:
    told = Line(seq=1, at=local, action="see")
    (when,) = placed(told, received=to_moment("2200-01-01T00:00:00Z"))
    assert to_text(when.occurred) == utc


def test_f63_a_leap_second_does_not_turn_the_order() -> None:
    # the wall clock shows the last second twice; the boot clock counts on
    lines = [line(2 * SECOND), line(SECOND, wall=-SECOND), line(0, wall=-SECOND)]
    whens = placed(*lines, anchors=(anchor(wall=-SECOND),))
    occurred = [when.occurred for when in whens]
    assert occurred == sorted(occurred)


def test_f64_a_suspended_machine_counts_on() -> None:
    # CLOCK_BOOTTIME goes on while it sleeps; its wall clock does not
    asleep = 8 * HOUR
    (when,) = placed(line(9 * HOUR), anchors=(anchor(wall=-asleep),))
    assert (when.occurred, when.basis) == (NOW - 9 * HOUR, Basis.BOOT)


def test_f65_an_hour_of_a_wrong_server_clock_is_found_and_left_out() -> None:
    good = [anchor(ago=ago * HOUR, boot="b") for ago in (9, 7, 5, 1, 0)]
    bad = [anchor(ago=3 * HOUR, server=DAY), anchor(ago=2 * HOUR, server=DAY)]
    assert agreeing([*good, *bad]) == good
    (when,) = placed(line(2 * HOUR + 60 * SECOND), anchors=(*bad, *good))
    assert when.occurred == NOW - 2 * HOUR - 60 * SECOND
    wrong = wrong_periods([[*good, *bad]])
    assert wrong == [Span(NOW - 3 * HOUR, NOW - 2 * HOUR)]
    # a boot that met the server in that time only is as one that never met it
    other = anchor(ago=2 * HOUR + 1, server=DAY, boot="c")
    assert boot_clock([other], wrong) is None
    assert boot_clock([other]) is not None


def test_f65_a_synchronised_station_tells_which_side_was_wrong() -> None:
    long = [anchor(ago=ago * HOUR, server=DAY, synced=True) for ago in (9, 6, 3)]
    short = anchor(synced=True)
    assert agreeing([*long, short]) == [short]


@pytest.mark.parametrize("wall", [YEARS, -YEARS])
@pytest.mark.parametrize("synced", [True, False, None])
def test_f66_a_clock_ten_years_off_decides_nothing(
    wall: int,
    synced: bool | None,  # noqa: FBT001 # a parameter of the test
) -> None:
    told = line(HOUR, wall=wall, synced=synced)
    (met,) = placed(told, anchors=(anchor(wall=wall),))
    assert met.occurred == NOW - HOUR
    before = known(NOW - 2 * HOUR)
    (unmet,) = placed(told, before=before)
    assert before.occurred <= unmet.occurred <= NOW
    assert unmet.lo <= NOW - HOUR <= unmet.hi
    assert unmet.basis is Basis.GUESS


def test_f67_a_boot_between_two_that_met_the_server_is_bounded_by_them() -> None:
    before = known(NOW - 20 * HOUR)
    told = [
        line(9 * HOUR, boot="x", wall=-YEARS),
        line(8 * HOUR, boot="x", wall=-YEARS),
    ]
    after = line(HOUR)
    first, second, last = placed(*told, after, anchors=(anchor(),), before=before)
    assert (first.basis, second.basis) == (Basis.GUESS, Basis.GUESS)
    assert first.lo == before.lo
    assert second.hi == last.hi
    assert before.occurred < first.occurred < second.occurred < last.occurred
    assert abs(second.occurred - first.occurred - HOUR) < SECOND
    assert first.hi <= last.hi - HOUR + SECOND
    for when, ago in ((first, 9), (second, 8)):
        assert when.lo <= NOW - ago * HOUR <= when.hi


def test_f67_a_possible_clock_of_such_a_boot_is_taken_at_its_word() -> None:
    (when,) = placed(line(2 * HOUR, boot="x"), before=known(NOW - 20 * HOUR))
    assert (when.occurred, when.basis) == (NOW - 2 * HOUR, Basis.GUESS)


def test_f67_a_boot_that_was_synchronised_later_tells_of_its_beginning() -> None:
    early = line(5 * HOUR, boot="x", wall=-YEARS, synced=False)
    first, second = placed(early, line(HOUR, boot="x", synced=True))
    assert (second.occurred, second.basis) == (NOW - HOUR, Basis.SYNCED)
    assert abs(first.occurred - (NOW - 5 * HOUR)) < SECOND
    assert first.hi - first.lo < 10 * SECOND


def test_f68_a_clock_too_old_for_tls_is_placed_once_it_gets_through() -> None:
    # the station asks without trusting its clock; what it tells then is as in f61
    (when,) = placed(line(HOUR, wall=-YEARS), anchors=(anchor(wall=-YEARS),))
    assert when.occurred == NOW - HOUR


def test_a_log_never_goes_back_and_nothing_happens_after_it_was_told() -> None:
    lines = [line(HOUR, boot=None), line(2 * HOUR, boot=None), line(-DAY, boot=None)]
    first, second, third = placed(*lines)
    assert first.occurred == second.occurred == NOW - HOUR
    assert third.occurred == NOW
    assert third.hi >= NOW


def test_what_cannot_be_read_is_placed_beside_its_neighbour() -> None:
    first, second = placed(line(HOUR), None, anchors=(anchor(),))
    assert second.basis is Basis.GUESS
    assert first.occurred <= second.occurred <= NOW


_EXTREMES = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59"]


@pytest.mark.parametrize("at", _EXTREMES)
@pytest.mark.parametrize("mono", [None, 0, 2**63 - 1])
@pytest.mark.parametrize("boot", ["b", "x", None])
@pytest.mark.parametrize("synced", [True, False])
def test_whatever_a_line_says_its_time_can_be_kept_and_written(
    at: str,
    mono: int | None,
    boot: str | None,
    synced: bool,  # noqa: FBT001 # a parameter of the test
) -> None:
    odd = Line(seq=1, at=at, boot=boot, mono=mono, synced=synced, action="see")
    usual = line(HOUR)
    for told in ([odd, usual], [usual, odd], [odd, odd, usual, odd]):
        floor = 0
        for when in placed(*told, anchors=(anchor(),)):
            assert floor <= when.occurred <= NOW
            assert when.lo <= when.occurred <= when.hi
            assert to_text(when.lo)
            assert to_text(when.hi)
            floor = when.occurred


def test_anchors_are_kept_an_hour_apart_and_at_every_change() -> None:
    a, b, c = anchor(ago=HOUR), anchor(ago=HOUR // 2), anchor(ago=HOUR // 3)
    assert not stands_for(None, a, b)
    assert stands_for(a, b, c)
    assert not stands_for(a, b, anchor(ago=HOUR - SPACING - SECOND))
    assert not stands_for(a, b, anchor(ago=HOUR // 3, server=DAY))
    assert not stands_for(a, b, anchor(ago=HOUR // 3, wall=HOUR))


def test_the_way_of_a_request_is_in_the_interval() -> None:
    (when,) = placed(line(HOUR, wall=DAY), anchors=(anchor(wall=DAY),))
    assert when.lo <= when.occurred - DELAY
