"""What an answer of the server means. Pure.

Contract, sections 3.2 and 3.3. An answer goes through two steps, because its claim has
to be held against the station's own chain: ``read`` says what it claims, ``decide``
what follows, given the station's own head at the place that it speaks of::

    200  an acknowledgement that our chain confirms      Acked
         of more lines than this log has                 Diverged: begin a new log
           (of a log that was left: Acked)
         of another chain                                Diverged: find where, begin
         anything else                                   Wait, not our server
    409  gap, and our chain has the server's head        Rewind
         gap before what is still here                   Diverged: begin a new log
         gap, and it has another; fork                   Diverged: find where, begin
    413, 400 and 422 that say why                        Halve; of one line, SendRaw
    403 of a log that is another station's               Disowned, if it was left
    401 of a station whose name another machine has      Wait, displaced, slowly
    401, 403, 404 that say why                           Wait, refused, slowly
    429, 503 and other 5xx                               Wait, busy, as long as it says
    3xx, pages, everything else                          Wait, not our server
    no answer                                            Wait, not reachable
"""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

import msgspec

from edge.decisions import (
    Acked,
    Decision,
    Disowned,
    Diverged,
    Halve,
    Rewind,
    Search,
    SendRaw,
    State,
    Unknown,
    Wait,
)
from shared.protocol import Appended, Problem, ProblemType

__all__ = [
    "Answer",
    "NoAnswer",
    "Own",
    "Reading",
    "Sent",
    "agrees",
    "decide",
    "plain",
    "read",
    "retry_after",
]

_LONGEST_TEXT = 200
_HEAD_BYTES = 32
_TOO_LARGE, _STUMBLED = 413, 500


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer, as far as it matters. Header values as they came, or empty."""

    status: int
    content_type: str = ""
    body: bytes = b""
    retry_after: str = ""
    date: str = ""
    location: str = ""
    etag: str = ""


class NoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """None came. ``timed_out``: something may have been on its way, but too slowly."""

    problem: str
    timed_out: bool = False


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A request: lines ``after + 1`` to ``last``, or opaque bytes in their place."""

    after: int
    last: int
    raw: bool = False

    @property
    def lines(self) -> int:
        """How many lines; 0 is a heartbeat."""
        return self.last - self.after


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """The station's side: its last line, and its head at ``Reading.acked``.

    ``first``: its lines up to here are not here (any more). ``left``: nothing is
    recorded in this log any more, so that the server may well have more of it.
    """

    last: int
    head: bytes | None
    first: int = 0
    left: bool = False


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer says of the log: ``acked`` and ``head`` are claims, or None."""

    said: Appended | Problem | None
    acked: int | None = None
    head: bytes | None = None


_appended = msgspec.json.Decoder(Appended)
_problem = msgspec.json.Decoder(Problem)


def read(answer: Answer | NoAnswer) -> Reading:
    """Read an answer's document, if it is one of the protocol."""
    if isinstance(answer, NoAnswer):
        return Reading(said=None)
    kind = answer.content_type.partition(";")[0].strip().lower()
    decoder = _DOCUMENTS.get((answer.status == 200, kind))  # noqa: PLR2004 the HTTP one
    try:
        said = decoder.decode(answer.body) if decoder else None
        head = bytes.fromhex((said and said.head) or "")
    except (ValueError, RecursionError):
        return Reading(said=None)
    if said is None or said.acked is None or said.acked < 0 or len(head) != _HEAD_BYTES:
        return Reading(said=said if isinstance(said, Problem) else None)
    return Reading(said=said, acked=said.acked, head=head)


_DOCUMENTS: Mapping[
    tuple[bool, str], msgspec.json.Decoder[Appended] | msgspec.json.Decoder[Problem]
] = {
    (True, "application/json"): _appended,
    (False, "application/problem+json"): _problem,
    (False, "application/json"): _problem,
}


def decide(
    answer: Answer | NoAnswer, reading: Reading, sent: Sent, own: Own
) -> Decision:
    """Say what an answer means: the table above.

    Args:
        answer: What came of the request.
        reading: ``read`` of the answer; of no answer, an empty one.
        sent: The request.
        own: The station's own side of what ``reading`` claims.
    """
    if isinstance(answer, NoAnswer):
        return Wait(
            state=State.UNREACHABLE, problem=answer.problem, timed_out=answer.timed_out
        )
    case = _Case(answer, reading, sent, own)
    if isinstance(reading.said, Problem):
        rule = _BY_TYPE.get(reading.said.type) or _BY_PROBLEM.get(answer.status)
        if rule:
            return rule(case)
    by_class = _BY_CLASS.get(answer.status // 100, _stranger)
    return _BY_STATUS.get(answer.status, by_class)(case)


def agrees(answer: Answer | NoAnswer, reading: Reading) -> bool | None:
    """Say whether a server has the head that a heartbeat named; None: it did not say.

    The rest of its log does not matter here: this is how a ``Search`` asks.
    """
    if isinstance(answer, Answer) and isinstance(reading.said, Appended):
        return True
    if isinstance(reading.said, Problem) and reading.said.type == ProblemType.FORK:
        return False
    return None


class _Case(msgspec.Struct, frozen=True):
    answer: Answer
    reading: Reading
    sent: Sent
    own: Own


def _acknowledgement(case: _Case) -> Decision:
    said, acked = case.reading.said, case.reading.acked
    if not isinstance(said, Appended) or acked is None or acked < case.sent.after:
        return _stranger(case)
    if acked > case.own.last and case.own.left:
        return _acked(said, case.own.last)
    if acked > case.own.last:
        return Diverged(
            search=Search(low=case.sent.last, high=case.own.last),
            problem=f"the server has {acked} lines of this log, and this station only "
            f"{case.own.last}: an old copy of its outbox was put back, or its card "
            "was copied",
        )
    if case.own.head != case.reading.head:
        return _fork(case)
    return _acked(said, acked)


def _acked(said: Appended, acked: int) -> Decision:
    return Acked(
        acked=acked,
        backed_up=said.backed_up,
        epoch=said.epoch,
        reference=said.reference,
        token_due=said.token_due,
    )


def _gap(case: _Case) -> Decision:
    acked = case.reading.acked
    if acked is None or acked >= case.sent.after:
        return _stranger(case)
    if acked < case.own.first:
        return Diverged(
            search=Search(low=case.own.first, high=case.own.first),
            problem=f"the server lacks lines {acked + 1} to {case.own.first} of this "
            "log, and they are not here any more",
        )
    if case.own.head != case.reading.head:
        return _fork(case)
    return Rewind(acked=acked)


def _fork(case: _Case) -> Decision:
    acked, last = case.reading.acked, case.own.last
    if acked is None:
        return _stranger(case)
    here = acked <= last and case.own.head != case.reading.head
    first = case.own.first
    return Diverged(
        search=Search(low=first, high=max(min(acked, last) - here, first)),
        problem="this station's log went on somewhere else, too: its card was copied, "
        "or an old copy of its outbox was put back",
    )


def _smaller(case: _Case) -> Decision:
    problem = f"the server did not take it: {_told(case)}"
    if case.sent.raw or case.sent.lines == 0:
        return Wait(state=State.TROUBLE, problem=problem)
    if case.sent.lines == 1:
        return SendRaw(problem=problem)
    return Halve(problem=problem, poison=case.answer.status != _TOO_LARGE)


def _refused(case: _Case) -> Decision:
    return Wait(
        state=State.REFUSED,
        problem=f"the server refuses this station: {_told(case)}; "
        "if that is not meant, let it join again, with a new code",
        unknown=_UNKNOWN.get(_type(case), Unknown.NO),
    )


_UNKNOWN: Mapping[str, Unknown] = {
    ProblemType.UNAUTHORISED: Unknown.NEVER,
    ProblemType.REPLACED: Unknown.REPLACED,
}


def _type(case: _Case) -> str:
    said = case.reading.said
    return said.type if isinstance(said, Problem) else ""


def _displaced(case: _Case) -> Decision:
    return Wait(state=State.DISPLACED, problem=_told(case))


def _not_ours(case: _Case) -> Decision:
    return Disowned(problem=_told(case)) if case.own.left else _refused(case)


def _busy(case: _Case) -> Decision:
    return Wait(
        state=State.BUSY,
        problem=f"the server cannot take it now: {_told(case)}",
        seconds=retry_after(case.answer.retry_after, case.answer.date),
        suspect=case.answer.status == _STUMBLED and case.sent.lines > 0,
    )


def _redirected(case: _Case) -> Decision:
    place = plain(case.answer.location) or "another place"
    return Wait(
        state=State.NOT_OURS,
        problem=f"the server's address leads on to {place}; nothing was sent there. "
        "If that is where the server is now, let this station join there",
    )


def _stranger(case: _Case) -> Decision:
    kind = plain(case.answer.content_type) or "nothing"
    return Wait(
        state=State.NOT_OURS,
        problem=f"what answers ({case.answer.status}, {kind}) is not our server; "
        "see whether this network asks to sign in, and what stands in between",
    )


_Rule = Callable[[_Case], Decision]

_BY_TYPE: Mapping[str, _Rule] = {
    ProblemType.GAP: _gap,
    ProblemType.FORK: _fork,
    ProblemType.TOO_LARGE: _smaller,
    ProblemType.FRAMING: _smaller,
    ProblemType.LOG: _not_ours,
    ProblemType.SIGNATURE: _refused,
    ProblemType.UNAUTHORISED: _refused,
    ProblemType.FORBIDDEN: _refused,
    ProblemType.REVOKED: _refused,
    ProblemType.REPLACED: _refused,
    ProblemType.DISPLACED: _displaced,
}
_BY_PROBLEM: Mapping[int, _Rule] = {
    400: _smaller,
    401: _refused,
    403: _refused,
    404: _refused,
    422: _smaller,
}
_BY_STATUS: Mapping[int, _Rule] = {
    200: _acknowledgement,
    413: _smaller,
    429: _busy,
}
_BY_CLASS: Mapping[int, _Rule] = {3: _redirected, 5: _busy}


def _told(case: _Case) -> str:
    said = case.reading.said
    if isinstance(said, Problem):
        return plain(said.detail or said.title)
    return f"status {case.answer.status}"


def plain(text: str) -> str:
    """Return text from outside as one short line that can be shown: contract, I8."""
    shown = "".join(c if c.isprintable() else " " for c in text[:_LONGEST_TEXT])
    return " ".join(shown.split())


def retry_after(value: str, date: str) -> float | None:
    """Read a ``Retry-After`` (RFC 9110, 10.2.3); None if there is none to read.

    Args:
        value: Seconds, or an HTTP date.
        date: The answer's ``Date``: what the server's clock showed. The station's own
            may be wrong.
    """
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        then, now = parsedate_to_datetime(value), parsedate_to_datetime(date)
        return max((then - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None
