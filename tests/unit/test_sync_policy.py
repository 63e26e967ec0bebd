import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.answers import Sent
from edge.decisions import (
    Acked,
    Decision,
    Diverged,
    Halve,
    Rewind,
    Search,
    SendRaw,
    State,
    Wait,
)
from edge.sync_policy import Pace, Stance, react

PACE = Pace()
FIRST = Stance(limit=PACE.max_lines)
TEN = Sent(after=10, last=20)


def acked(line: int) -> Acked:
    return Acked(acked=line, backed_up=0, epoch="", reference="")


def busy(seconds: float | None = None, *, timed_out: bool = False) -> Wait:
    return Wait(state=State.BUSY, problem="busy", seconds=seconds, timed_out=timed_out)


def test_an_acknowledgement_forgets_the_failures_and_widens_the_batch() -> None:
    stance = Stance(limit=100, failures=7, raw=True)
    assert react(stance, acked(20), TEN, PACE, 0.5) == (Stance(limit=200), None)
    assert react(FIRST, acked(20), TEN, PACE, 0.5) == (FIRST, None)


def test_a_heartbeat_is_answered_by_nothing_new() -> None:
    heartbeat = Sent(after=20, last=20)
    assert react(FIRST, acked(20), heartbeat, PACE, 0.5) == (FIRST, None)


def test_an_acknowledgement_of_nothing_that_was_sent_is_a_failure() -> None:
    stance, rest = react(FIRST, acked(10), TEN, PACE, 0.5)
    assert (stance.failures, rest) == (1, 0.25)


def test_halving_goes_down_to_one_and_then_raw() -> None:
    stance, rest = react(FIRST, Halve(problem=""), TEN, PACE, 0.5)
    assert (stance, rest) == (Stance(limit=5), None)
    stance, rest = react(stance, Halve(problem=""), Sent(after=0, last=2), PACE, 0.5)
    assert (stance.limit, rest) == (1, None)
    stance, rest = react(stance, SendRaw(problem=""), Sent(after=0, last=1), PACE, 0.5)
    assert (stance, rest) == (Stance(limit=1, raw=True), None)
    stance, rest = react(stance, busy(), Sent(after=0, last=1), PACE, 0.5)
    assert stance.raw, "the raw line is tried again"
    stance, rest = react(stance, acked(1), Sent(after=0, last=1, raw=True), PACE, 0.5)
    assert (stance, rest) == (Stance(limit=2), None)


@pytest.mark.parametrize(
    "decision",
    [
        Rewind(acked=5),
        Diverged(search=Search(low=0, high=0), problem=""),
        busy(),
    ],
)
def test_what_could_go_on_for_ever_backs_off(decision: Decision) -> None:
    stance, rests = Stance(limit=10, raw=True), []
    for _ in range(8):
        stance, rest = react(stance, decision, TEN, PACE, 0.999)
        rests.append(rest)
    assert rests == pytest.approx(
        [0.4995, 0.999, 1.998, 3.996, 7.992, 15.984, 19.98, 19.98]
    )
    assert stance.raw is isinstance(decision, Wait)


def test_f38_after_a_timeout_less_is_sent() -> None:
    stance, _ = react(FIRST, busy(timed_out=True), TEN, PACE, 0.5)
    assert stance.limit == PACE.max_lines // 2
    for _ in range(40):
        stance, _ = react(stance, busy(timed_out=True), TEN, PACE, 0.5)
    assert stance.limit == 1


def test_f39_the_server_is_obeyed_within_bounds_and_with_jitter() -> None:
    assert react(FIRST, busy(7.0), TEN, PACE, 0.0)[1] == 7.0
    assert react(FIRST, busy(7.0), TEN, PACE, 0.5)[1] == 7.25
    assert react(FIRST, busy(1e9), TEN, PACE, 0.0)[1] == PACE.obeyed


def test_a_refused_station_tries_slowly() -> None:
    refused = Wait(state=State.REFUSED, problem="")
    assert react(FIRST, refused, TEN, PACE, 0.0)[1] == 30.0
    assert react(FIRST, refused, TEN, PACE, 0.5)[1] == 45.0


@given(st.integers(0, 10**6), st.floats(0, 1, exclude_max=True))
def test_f38_no_rest_is_longer_than_promised(failures: int, luck: float) -> None:
    stance = Stance(limit=1, failures=failures)
    rest = react(stance, busy(), TEN, PACE, luck)[1]
    assert rest is not None
    assert 0 <= rest <= PACE.longest
