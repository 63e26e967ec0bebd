"""What every backend of the store does: the interface in `server.store`, as tests."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from server.answers import answer
from server.problems import ProblemError
from server.site import DEFAULT
from server.store import (
    Displaced,
    ExceptionQuery,
    Invitation,
    ItemQuery,
    Joining,
    Station,
    Store,
    Token,
    ToldQuery,
    View,
)
from shared import chain
from shared.moments import SECOND, to_moment, to_text
from shared.protocol import ProblemType
from tests.contracts.storing import AGO, NOW, joined


async def test_what_came_before_is_not_taken_twice(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    log.write("receive", item="P", location="X")
    log.write("store", item="P", location="Y")
    first = await log.send(last=1)
    again = await log.send()
    assert (first.appended, first.already) == (1, 0)
    assert (again.appended, again.already, again.acked) == (1, 1, 2)
    assert (await log.send()).appended == 0
    assert [entry.event for entry in await store.events(0, 10)] == [
        f"{log.name}:1",
        f"{log.name}:2",
    ]
    state = await store.log(log.name)
    assert state is not None
    assert state.acked == 2


async def test_a_gap_and_a_fork_are_refused_and_change_nothing(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    for place in "XYZ":
        log.write("see", item="P", location=place)
    with pytest.raises(ProblemError) as gap:
        await log.send(after=1)
    assert gap.value.problem.type == ProblemType.GAP
    await log.send()
    del log.lines[1:]
    log.write("see", item="P", location="ELSEWHERE")
    with pytest.raises(ProblemError) as fork:
        await log.send()
    assert fork.value.problem.type == ProblemType.FORK
    assert (await store.item("P")).location == "Z"


async def test_one_bad_delivery_harms_none_that_came_with_it(store: Store) -> None:
    good, bad = await joined(store, "A"), await joined(store, "B")
    good.write("see", item="P", location="X")
    for _ in range(2):
        bad.write("see", item="Q", location="X")
    outcomes = await asyncio.gather(
        bad.send(after=1), good.send(), return_exceptions=True
    )
    assert isinstance(outcomes[0], ProblemError)
    assert (await store.item("P")).known
    assert not (await store.item("Q")).known


async def test_what_is_not_understood_is_kept_and_holds_up_nothing(
    store: Store,
) -> None:
    log = await joined(store, "DOCK-1")
    log.write("dance", item="P")
    log.lines.append(b"\xff not a line")
    log.write("see", item="P", location="X")
    receipt = await log.send()
    assert (receipt.acked, receipt.quarantined) == (3, [1, 2])
    assert (await store.item("P")).location == "X"
    kept = await store.events(0, 10)
    assert [entry.line for entry in kept] == log.lines
    assert [entry.quarantined is None for entry in kept] == [False, False, True]


@pytest.mark.parametrize("void_first", [True, False])
async def test_what_was_taken_back_did_not_happen(
    store: Store, *, void_first: bool
) -> None:
    log, desk = await joined(store, "DOCK-1"), await joined(store, "DESK")
    log.write("store", 1, item="P", location="X")
    wrong = log.write("store", 2, item="P", location="Y")
    desk.write("void", 3, voids=wrong, reason="mistyped")
    for one in (desk, log) if void_first else (log, desk):
        await one.send()
    assert (await store.item("P")).location == "X"
    history = await store.history("P", View(at=NOW * 2, known_at=NOW * 2))
    voided = {event.name: event.voided_by for event, _ in history.events}
    assert voided[wrong] == f"{desk.name}:1"


async def test_items_are_listed_by_what_is_true_of_them_now(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    for item in ("P-1", "P-2", "P-3"):
        log.write("pack", 1, item=item, container="C", location="X", operator="B-1")
    log.write("pick", 2, item="Q", location="Z", operator="B-2")
    log.write("store", 3, item="C", location="Y")
    await log.send()

    async def listed(**asked: object) -> list[str]:
        query = ItemQuery(**asked)  # type: ignore[arg-type]
        return [found.item for found in (await store.items(query)).answers]

    assert await listed(location="Y") == ["P-1", "C", "P-2", "P-3"]
    assert await listed(location="X") == []
    assert await listed(container="C") == ["P-1", "P-2", "P-3"]
    assert await listed(status="picked") == ["Q"]
    assert await listed(custodian="B-2") == ["Q"]
    assert await listed(q="-2") == ["P-2"]
    page = await store.items(ItemQuery(location="Y", limit=3))
    assert page.after is not None
    rest = await store.items(ItemQuery(location="Y", limit=3, after=page.after))
    assert [found.item for found in rest.answers] == ["P-3"]
    assert rest.after is None


async def test_exceptions_open_by_themselves_and_close_by_events(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    log.write("pick", 0, item="P", location="X", operator="B-1")
    log.write("pick", 3_000, item="Q", location="X", operator="B-1")
    await log.send()
    found = await store.exceptions(ExceptionQuery())
    assert [(one.item, one.since) for one in found] == [("P", AGO + 1_800 * SECOND)]
    log.write("accept", 3_100, item="P", location="Y", operator="B-2")
    await log.send()
    assert await store.exceptions(ExceptionQuery()) == []
    (over,) = await store.exceptions(ExceptionQuery(open=False))
    assert (over.item, over.until) == ("P", AGO + 3_100 * SECOND)
    assert await store.exceptions(ExceptionQuery(open=None, code="stale")) == []


async def test_the_horizon_is_that_of_the_last_station(store: Store) -> None:
    early, late = await joined(store, "EARLY"), await joined(store, "LATE")
    early.write("see", 10, item="P", location="X")
    await early.send()
    view = View(at=NOW, known_at=NOW)
    assert (await store.horizon(view)).complete_until is None
    late.write("see", 20, item="Q", location="X")
    await late.send()
    told = await store.horizon(view)
    assert told.complete_until == AGO + 10 * SECOND
    assert [name for name, _ in told.behind] == ["EARLY", "LATE"]


async def test_the_same_question_has_the_same_answer_for_ever(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    seen: list[tuple[int, str | None]] = []

    async def write() -> None:
        for number in range(40):
            log.write("see", number, item="P", location=f"L-{number}")
            await log.send(after=number)

    async def ask() -> None:
        while not writing.done():
            found = await store.item("P")
            seen.append((to_moment(found.known_at), found.location))
            moment = store.present()
            seen.append((moment, await told(moment)))

    async def told(moment: int) -> str | None:
        view = View(at=moment, known_at=moment)
        telling = await store.tell("P", view)
        horizon = await store.horizon(view)
        return answer(
            telling, "P", at=moment, known_at=moment, horizon=horizon, site=DEFAULT
        ).location

    writing = asyncio.create_task(write())
    await asyncio.gather(writing, ask(), ask())
    assert len({location for _, location in seen}) > 1
    for moment, location in seen:
        assert await told(moment) == location, to_text(moment)


async def test_long_keys_and_odd_characters_are_keys_like_any_other(
    store: Store,
) -> None:
    log = await joined(store, "DOCK-1")
    keys = ["K" * 4096, "a\x00b", "a", "%_'\"", "\u0130\u0131", "a\x00c"]
    for key in keys:
        log.write("pack", item=key, container=f"{key}\x00", location=f"{key}@")
    await log.send()
    log.write("see", 5, item="a", location="a@")
    await log.send()
    for key in keys:
        found = await store.item(key)
        assert (found.location, found.container) == (f"{key}@", f"{key}\x00")
        listed = await store.items(ItemQuery(location=f"{key}@"))
        assert [one.item for one in listed.answers] == [key, f"{key}\x00"]


async def test_who_waits_for_the_feed_gets_every_line_once(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    waiting = asyncio.create_task(store.grown(0))
    await asyncio.sleep(0)
    assert not waiting.done()
    log.write("pick", item="P", location="X", operator="B-1")
    log.write("dance", item="P")
    await log.send()
    await asyncio.wait_for(waiting, 5)
    first = await store.events(0, 1)
    rest = await store.events(first[0].position, 10)
    assert [entry.event for entry in first + rest] == [f"{log.name}:1", f"{log.name}:2"]
    assert {entry.station for entry in first + rest} == {"DOCK-1"}
    assert await store.events(rest[0].position, 10) == []
    assert store.position() == rest[0].position
    assert await store.event(f"{log.name}:2") == rest[0]
    for name in (f"{log.name}:3", f"{log.name}:x", "2", ""):
        assert await store.event(name) is None


async def test_a_token_is_replaced_once_the_next_is_used(store: Store) -> None:
    log, other = await joined(store, "DOCK-1"), await joined(store, "DOCK-2")
    first, second = b"DOCK-1", b"second"
    await store.use_token(log.station, second)  # never offered: nothing happens
    await store.offer_token(log.station, b"never used")
    await store.offer_token(log.station, second)
    await store.offer_token(log.station, second)
    shown = [await store.station(one) for one in (first, second, b"never used")]
    assert [one and one.token for one in shown] == [Token.PRESENT, Token.NEXT, None]
    for _ in range(2):
        await store.use_token(log.station, second)
    shown = [await store.station(one) for one in (first, second)]
    assert [one and one.token for one in shown] == [Token.REPLACED, Token.PRESENT]
    assert {one and one.id for one in shown} == {log.station.id}
    for known in (first, second, b"DOCK-2"):
        with pytest.raises(ProblemError):
            await store.offer_token(log.station, known)
    kept = await store.station(b"DOCK-2")
    assert kept is not None
    assert (kept.id, kept.token) == (other.station.id, Token.PRESENT)
    await store.note_copied(log.station, "192.0.2.7")
    (seen, _) = await store.stations()
    assert [(one.code, one.address) for one in seen.incidents] == [
        ("copied", "192.0.2.7")
    ]


async def test_a_name_in_use_is_taken_only_by_a_code_that_replaces(
    store: Store,
) -> None:
    log = await joined(store, "DOCK-1")
    log.write("receive", 1, item="P")
    await log.send()
    await store.offer_token(log.station, b"next")
    with pytest.raises(ProblemError, match="There is a station DOCK-1 already"):
        await _invite(store, "DOCK-1", b"no")
    await _invite(store, "DOCK-1", b"yes", replaces=True)
    await _invite(store, "DOCK-1", b"again", replaces=True)
    await _invite(store, "DOCK-2", b"two")
    with pytest.raises(ProblemError, match="belongs to another") as refused:
        await _enrol(store, b"two", log.name, have=0)
    assert (refused.value.problem.acked, refused.value.problem.head) == (
        0,
        chain.start(log.name).hex(),
    )
    with pytest.raises(ProblemError, match="belongs to another") as refused:
        await _enrol(store, b"two", log.name, have=9)
    assert refused.value.problem.acked == 1
    new = await _enrol(store, b"yes", str(uuid4()))
    assert new.displaced == Displaced(host="", log=log.name, acked=1)
    (seen, _) = await store.stations()
    assert [one.code for one in seen.incidents] == ["displaced"]
    before = [await store.station(old) for old in (b"DOCK-1", b"next")]
    found = before[0]
    assert found is not None
    assert {one and (one.id, one.token) for one in before} == {
        (new.id, Token.DISPLACED)
    }
    assert (await store.station(b"yes")) == msgspec.structs.replace(new, displaced=None)
    await store.note_displaced(found, "192.0.2.7")
    (seen, _) = await store.stations()
    (incident,) = seen.incidents
    assert (incident.times, incident.address) == (
        1,
        "a machine without a name (192.0.2.7)",
    )
    same = await _enrol(store, b"again", log.name)  # the machine with the first log
    assert same.displaced is None


async def _invite(
    store: Store, name: str, code: bytes, *, replaces: bool = False
) -> None:
    await store.invite(
        Invitation(
            name=name,
            location=None,
            kind="station",
            code_hash=code,
            expires=NOW * 2,
            replaces=replaces,
        )
    )


async def _enrol(
    store: Store, code: bytes, log: str, *, have: int | None = None
) -> Station:
    return await store.enrol(
        Joining(
            code_hash=code,
            log=log,
            token_hash=code,
            public_key=b"",
            version="",
            host="",
            have=have,
        )
    )


async def test_what_stands_where_and_what_was_told_since(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    log.write("receive", 1, item="P", location="X")
    log.write("receive", 2, item="GONE", location="X")
    log.write("see", 5, item="P", location="X")
    log.write("depart", 6, item="GONE", location="X")
    log.write("pack", 7, item="Q", container="C", location="Y")
    log.write("note", 8, item="R", title="never scanned")
    await log.send()
    stood = await store.standing(0, 10)
    at = [(one.place, one.since - AGO, one.latest - AGO) for one in stood]
    assert at == [
        ("X", 1 * SECOND, 5 * SECOND),
        ("Y", 7 * SECOND, 7 * SECOND),
        ("Y", 7 * SECOND, 7 * SECOND),
    ]
    assert await store.standing(stood[0].id, 1) == stood[1:2]
    since = AGO + 6 * SECOND
    told = await store.told(ToldQuery(since=since))
    assert [key for _, key in told] == ["GONE", "Q", "C"]
    assert await store.count_told(since) == len(told)
    assert await store.told(ToldQuery(since=since, after=told[0][0], limit=1)) == [
        told[1]
    ]
    few = await store.told(ToldQuery(since=0, every=2))
    assert len(few) == await store.count_told(0) // 2


async def test_items_told_together_are_told_as_each_alone(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    log.write("receive", 1, item="P", location="X")
    log.write("pack", 2, item="P", container="C", location="X")
    log.write("pack", 3, item="Q", container="C", location="X")
    log.write("load", 4, item="C", container="M", location="Y")
    log.write("count", 5, items=["Q"], location="X")
    log.write("depart", 6, item="M", location="Y")
    log.write("note", 7, item="Q", text="fragile")
    await log.send()
    view = View(at=NOW, known_at=NOW * 2)
    together = await store.tell_together(["P", "Q", "M", "NONE"], view)
    for item, telling in together.items():
        alone = await store.tell(item, view)
        assert telling.known == alone.known, item
        assert telling.events == alone.events, item
        assert telling.said == alone.said, item
        assert telling.world.story(item) == alone.world.story(item), item


async def test_what_containers_hold_is_told_of_each_as_a_whole(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    for at, (item, container) in enumerate(
        [("P-1", "C-1"), ("P-2", "C-1"), ("P-3", "C-2"), ("C-2", "M-1"), ("P-4", "C-3")]
    ):
        log.write("pack", at, item=item, container=container, location="X")
    log.write("pack", 6, item="P-5", container="C-9", location="X")
    log.write("depart", 7, item="C-9", location="X")
    log.write("unpack", 8, item="P-4", location="X")
    await log.send()
    held = await store.held(10)
    assert held == {"C-1": ["P-1", "P-2"], "C-2": ["P-3"], "M-1": ["C-2"]}
    assert next(iter(held)) == "M-1"
    assert await store.held(3) == {"M-1": ["C-2"], "C-2": ["P-3"]}
    assert await store.held(2) == {"M-1": ["C-2"], "C-2": ["P-3"]}
