import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.answers import (
    Answer,
    NoAnswer,
    Own,
    Reading,
    Sent,
    agrees,
    decide,
    plain,
    read,
    retry_after,
)
from edge.decisions import (
    Acked,
    Decision,
    Diverged,
    Halve,
    Rewind,
    Search,
    SendRaw,
    State,
    Unknown,
    Wait,
)
from shared.protocol import Appended, Outcomes, Problem, ProblemType

OURS, THEIRS = b"\x01" * 32, b"\x02" * 32
JSON, PROBLEM, HTML = "application/json", "application/problem+json", "text/html"


def appended(acked: int, head: bytes = OURS, changes: object = None) -> Answer:
    document = Appended(
        acked=acked,
        head=head.hex(),
        outcomes=Outcomes(appended=1, already=0, quarantined=[]),
        backed_up=3,
        epoch="e1",
        received_at="2026-03-01T10:00:00.000000Z",
        reference="r1",
    )
    fields = msgspec.to_builtins(document) | (changes or {})
    return Answer(
        status=200,
        content_type="application/json; charset=utf-8",
        body=msgspec.json.encode(fields),
    )


def refusal(
    status: int, type_: str, acked: int | None = None, head: bytes | None = None
) -> Answer:
    document = Problem(
        type=type_,
        title="Title",
        status=status,
        detail="Detail.",
        acked=acked,
        head=head.hex() if head else None,
    )
    return Answer(
        status=status, content_type=PROBLEM, body=msgspec.json.encode(document)
    )


def page(status: int, **headers: str) -> Answer:
    return Answer(
        status=status,
        body=b"<html>Welcome to the hotel</html>",
        **{"content_type": HTML, **headers},
    )


def meaning(
    answer: Answer | NoAnswer,
    *,
    after: int = 10,
    last: int = 20,
    raw: bool = False,
    own_last: int = 30,
    own_head: bytes | None = OURS,
) -> Decision:
    return decide(
        answer,
        read(answer),
        Sent(after=after, last=last, raw=raw),
        Own(last=own_last, head=own_head),
    )


def state_of(decision: Decision) -> State:
    assert isinstance(decision, Wait)
    return decision.state


@pytest.mark.parametrize("acked", [20, 25, 30, 15, 10])
def test_an_acknowledgement_with_our_head_counts_as_far_as_it_goes(acked: int) -> None:
    assert meaning(appended(acked)) == Acked(
        acked=acked, backed_up=3, epoch="e1", reference="r1"
    )


def test_f12_more_lines_than_this_log_has_make_a_new_log_behind_the_common() -> None:
    decision = meaning(appended(31), own_head=None)
    assert isinstance(decision, Diverged)
    assert decision.search == Search(low=20, high=30)
    assert "31 lines of this log" in decision.problem


def test_an_acknowledgement_of_another_chain_is_a_fork() -> None:
    decision = meaning(appended(25, THEIRS))
    assert isinstance(decision, Diverged)
    assert decision.search == Search(low=0, high=24)


def test_less_than_the_request_stood_on_is_no_acknowledgement() -> None:
    assert state_of(meaning(appended(9))) is State.NOT_OURS


@pytest.mark.parametrize(
    "answer",
    [
        page(200),
        page(200, content_type=JSON),
        Answer(status=200, content_type=JSON, body=b""),
        Answer(status=200, content_type=JSON, body=b"{}"),
        Answer(status=200, content_type=JSON, body=b"[" * 100_000),
        Answer(status=200, content_type=JSON, body=b'{"acked": NaN}'),
        Answer(status=200, body=appended(20).body),
        Answer(status=200, content_type=HTML, body=appended(20).body),
        Answer(status=202, content_type=JSON, body=appended(20).body),
        Answer(status=204),
        appended(20, head=OURS[:31]),
        appended(20, changes={"acked": -1}),
        appended(20, changes={"acked": "20"}),
        appended(20, changes={"head": None}),
        appended(20, changes={"head": "zz" * 32}),
        refusal(200, ProblemType.GAP, 5, OURS),
    ],
)
def test_f34_what_is_no_acknowledgement_acknowledges_nothing(answer: Answer) -> None:
    assert state_of(meaning(answer)) is State.NOT_OURS


def test_f54_a_gap_with_our_own_head_is_a_rewind() -> None:
    assert meaning(refusal(409, ProblemType.GAP, 5, OURS)) == Rewind(acked=5)


def test_a_gap_with_another_head_is_a_fork_before_it() -> None:
    decision = meaning(refusal(409, ProblemType.GAP, 5, THEIRS))
    assert isinstance(decision, Diverged)
    assert decision.search == Search(low=0, high=4)


@pytest.mark.parametrize("acked", [None, 10, 11])
def test_a_gap_that_is_none_is_waited_out(acked: int | None) -> None:
    answer = refusal(409, ProblemType.GAP, acked, OURS)
    assert state_of(meaning(answer)) is State.NOT_OURS


@pytest.mark.parametrize(
    ("acked", "own_head", "high"),
    [(25, THEIRS, 24), (25, OURS, 25), (99, None, 30), (0, THEIRS, 0)],
)
def test_f49_a_fork_is_searched_as_far_as_both_have_lines(
    acked: int, own_head: bytes | None, high: int
) -> None:
    decision = meaning(refusal(409, ProblemType.FORK, acked, OURS), own_head=own_head)
    assert isinstance(decision, Diverged)
    assert decision.search == Search(low=0, high=high)


def test_a_fork_without_a_head_is_waited_out() -> None:
    assert state_of(meaning(refusal(409, ProblemType.FORK))) is State.NOT_OURS


@pytest.mark.parametrize(
    "answer",
    [
        page(413),
        refusal(413, ProblemType.TOO_LARGE),
        refusal(422, ProblemType.FRAMING),
        refusal(400, ProblemType.INVALID),
        refusal(422, "urn:unknown"),
    ],
)
def test_f40_what_is_too_large_is_halved_then_sent_raw_then_waited_for(
    answer: Answer,
) -> None:
    assert isinstance(meaning(answer), Halve)
    assert isinstance(meaning(answer, last=12), Halve)
    assert isinstance(meaning(answer, last=11), SendRaw)
    assert state_of(meaning(answer, last=11, raw=True)) is State.TROUBLE
    assert state_of(meaning(answer, last=10)) is State.TROUBLE


@pytest.mark.parametrize(
    "answer",
    [
        refusal(401, ProblemType.UNAUTHORISED),
        refusal(403, ProblemType.REVOKED),
        refusal(403, "urn:unknown"),
        refusal(404, ProblemType.NOT_FOUND),
        refusal(422, ProblemType.SIGNATURE),
        refusal(409, ProblemType.LOG),
    ],
)
def test_a_refusal_says_what_the_server_said(answer: Answer) -> None:
    decision = meaning(answer)
    assert state_of(decision) is State.REFUSED
    assert isinstance(decision, Wait)
    assert "Detail." in decision.problem


def test_who_lost_its_name_is_told_so_and_nothing_else() -> None:
    decision = meaning(refusal(401, ProblemType.DISPLACED))
    assert isinstance(decision, Wait)
    assert (decision.state, decision.unknown) == (State.DISPLACED, Unknown.NO)
    assert decision.problem == "Detail."


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422, 451, 100])
def test_pages_of_somebody_else_are_no_refusal(status: int) -> None:
    assert state_of(meaning(page(status))) is State.NOT_OURS


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_f35_a_redirect_is_named_and_not_followed(status: int) -> None:
    decision = meaning(page(status, location="https://evil.example/\x1b[2J"))
    assert state_of(decision) is State.NOT_OURS
    assert isinstance(decision, Wait)
    assert "leads on to https://evil.example/ [2J;" in decision.problem


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 507])
def test_f39_an_overloaded_server_is_waited_for_as_long_as_it_says(status: int) -> None:
    decision = meaning(page(status, retry_after="7"))
    assert isinstance(decision, Wait)
    assert (decision.state, decision.seconds) == (State.BUSY, 7.0)
    typed = meaning(refusal(status, ProblemType.BUSY))
    assert isinstance(typed, Wait)
    assert (typed.state, typed.seconds) == (State.BUSY, None)


def test_no_answer_is_waited_out() -> None:
    assert meaning(NoAnswer(problem="gone", timed_out=True)) == Wait(
        state=State.UNREACHABLE, problem="gone", timed_out=True
    )


NOON = "Sun, 01 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("", NOON, None),
        ("0", "", 0.0),
        ("120", "", 120.0),
        ("9" * 400, "", 999_999_999.0),
        ("-5", NOON, None),
        ("1.5", NOON, None),
        ("soon", NOON, None),
        ("٣", NOON, None),
        ("Sun, 01 Mar 2026 12:00:30 GMT", NOON, 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", NOON, 0.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", "", None),
        ("Sun, 01 Mar 2026 12:00:30", NOON, None),
    ],
)
def test_f39_retry_after_is_read_by_the_servers_own_clock(
    value: str, date: str, seconds: float | None
) -> None:
    assert retry_after(value, date) == seconds


@given(st.text(), st.text())
def test_f39_an_absurd_retry_after_is_never_an_error(value: str, date: str) -> None:
    assert retry_after(value, date) is None or value


@given(
    st.integers(100, 599),
    st.sampled_from(["", JSON, PROBLEM, HTML, "application/json;x"]),
    st.one_of(st.binary(), st.just(appended(20).body)),
    st.text(),
)
def test_any_answer_at_all_has_a_meaning(
    status: int, kind: str, body: bytes, text: str
) -> None:
    answer = Answer(
        status=status, content_type=kind, body=body, retry_after=text, location=text
    )
    decision = meaning(answer)
    good = status == 200 and kind.startswith(JSON) and body == appended(20).body
    assert isinstance(decision, Acked) == good


@pytest.mark.parametrize("known", range(9))
def test_a_search_finds_the_last_common_line(known: int) -> None:
    search = Search(low=0, high=8)
    asked = 0
    while not search.done:
        search = search.told(same=search.middle <= known)
        asked += 1
    assert search.low == known
    assert asked <= 4


def test_a_heartbeat_tells_whether_the_server_has_our_head() -> None:
    cases: list[tuple[Answer | NoAnswer, bool | None]] = [
        (appended(99, THEIRS), True),
        (refusal(409, ProblemType.FORK, 5, THEIRS), False),
        (refusal(409, ProblemType.GAP, 5, THEIRS), None),
        (page(200), None),
        (NoAnswer(problem="gone"), None),
    ]
    for answer, same in cases:
        assert agrees(answer, read(answer)) is same
    assert read(NoAnswer(problem="gone")) == Reading(said=None)


def test_text_from_outside_is_one_short_line() -> None:
    assert plain("a\r\n\x1b[31mb\u202e\tc") == "a [31mb c"
    assert len(plain("x" * 10_000)) == 200
