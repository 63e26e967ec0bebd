"""How much to send next, and how long to wait before. Pure.

Contract, sections 3.2 and 3.3. ``edge.answers`` says what an answer meant.
"""

import msgspec

from edge.answers import Sent
from edge.decisions import Acked, Decision, Halve, SendRaw, State, Wait
from shared.protocol import MAX_PACKED

__all__ = ["Pace", "Stance", "react"]


_SLOWLY = (State.REFUSED, State.DISPLACED)
_OFTEN = 2
"""Failures after which what is sent comes under suspicion."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast and how slow; seconds, lines, bytes of a body before compression.

    ``longest`` and the deadlines of a request make 30 s together: by then it is sending
    again after whatever was broken has come back.
    """

    heartbeat: float = 20.0
    first: float = 0.5
    longest: float = 20.0
    refused: float = 60.0
    obeyed: float = 300.0
    max_lines: int = 5000
    max_bytes: int = MAX_PACKED


class Stance(msgspec.Struct, frozen=True, kw_only=True):
    """What the last answers have led to: how much to send, and how.

    ``poison``: somewhere up to this line is one that the server does not take. It is
    searched by halves, so that the lines before it go on.
    """

    limit: int
    failures: int = 0
    raw: bool = False
    poison: int = 0


def react(
    stance: Stance, decision: Decision, sent: Sent, pace: Pace, luck: float
) -> tuple[Stance, float | None]:
    """Return the stance that follows, and how long to rest.

    Args:
        stance: The stance so far.
        decision: What the answer meant.
        sent: What was sent.
        pace: The limits.
        luck: A random number from 0 up to 1, for the jitter.

    Returns:
        The rest is in seconds. None is no rest: go on while lines wait, and then until
        the next is saved or a heartbeat is due.
    """
    if isinstance(decision, Halve):
        return _halved(stance, sent, poison=decision.poison), None
    if isinstance(decision, SendRaw):
        return Stance(limit=1, failures=stance.failures, raw=True), None
    if isinstance(decision, Acked) and (decision.acked > sent.after or not sent.lines):
        return _gone_on(stance, decision.acked, pace), None
    if isinstance(decision, Wait) and decision.suspect and stance.failures >= _OFTEN:
        return _suspected(stance, sent), _rest(stance.failures, decision, pace, luck)
    late = isinstance(decision, Wait) and decision.timed_out
    worse = Stance(
        limit=max(stance.limit // 2, 1) if late else stance.limit,
        failures=stance.failures + 1,
        raw=stance.raw and isinstance(decision, Wait),
    )
    return worse, _rest(stance.failures, decision, pace, luck)


def _halved(stance: Stance, sent: Sent, *, poison: bool) -> Stance:
    return Stance(
        limit=max(sent.lines // 2, 1),
        failures=stance.failures,
        poison=sent.last if poison else 0,
    )


def _suspected(stance: Stance, sent: Sent) -> Stance:
    """Search what the server stumbles over, again and again."""
    if sent.lines > 1:
        return _halved(stance, sent, poison=True)
    return Stance(limit=1, failures=stance.failures + sent.raw, raw=True)


def _gone_on(stance: Stance, acked: int, pace: Pace) -> Stance:
    """Send more from now on; while a line is searched, half of where it may be."""
    if acked < stance.poison:
        limit = max((stance.poison - acked) // 2, 1)
        return Stance(limit=limit, failures=stance.failures, poison=stance.poison)
    return Stance(limit=min(stance.limit * 2, pace.max_lines))


def _rest(failures: int, decision: Decision, pace: Pace, luck: float) -> float:
    """Exponential backoff with full jitter, or what the server asked for and more.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    most = min(pace.longest, pace.first * 2.0 ** min(failures, 30))
    if isinstance(decision, Wait) and decision.state in _SLOWLY:
        return pace.refused * (1 + luck) / 2
    if isinstance(decision, Wait) and decision.seconds is not None:
        return min(decision.seconds, pace.obeyed) + luck * most
    return luck * most
