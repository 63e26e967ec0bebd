"""The contract's own scenarios, played to a store by its stations; and lists."""

import json
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from server.answers import Horizon, answer
from server.exceptions import review
from server.site import DEFAULT
from server.store import ItemQuery, Store, View
from server.store.postgres.store import PostgresStore
from server.store.sqlite import SqliteStore
from shared.api.items import ItemAnswer
from shared.lines import Line, encode
from shared.moments import SECOND, to_moment
from tests.contracts.storing import joined
from tests.scenarios import SCENARIOS

LATER = to_moment("2060-01-01T00:00:00.000000Z")


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    clock = count(LATER, SECOND).__next__
    found: Store
    if request.param == "sqlite":
        found = await SqliteStore.open(tmp_path / "scantrail.db", clock)
    else:
        url = request.getfixturevalue("database").database()
        found = await PostgresStore.open(url, clock, clock=clock)
    yield found
    await found.close()


def _line(told: dict[str, Any], seq: int, names: dict[str, str]) -> bytes:
    fields = {name: told[name] for name in told if name not in ("log", "id", "voids")}
    if "voids" in told:
        fields["voids"] = names[told["voids"]]
    if "items" in told:
        fields["items"] = tuple(told["items"])
    return encode(Line(seq=seq, **fields))


async def _play(
    store: Store, phases: list[list[dict[str, Any]]]
) -> tuple[list[int], dict[str, str]]:
    """Send each phase; return when the last of each was received, and what logs are."""
    whole = [told for phase in phases for told in phase]
    logs = {name: await joined(store, name.upper()) for name in _logs(whole)}
    names = {}
    for name, log in logs.items():
        mine = [told for told in whole if told["log"] == name]
        for seq, told in enumerate(mine, 1):
            if "id" in told:  # it may be taken back before it comes
                names[told["id"]] = f"{log.name}:{seq}"
    known = []
    for phase in phases:
        received = 0
        for name in _logs(phase):
            log = logs[name]
            before = len(log.lines)
            for told in phase:
                if told["log"] == name:
                    log.lines.append(_line(told, len(log.lines) + 1, names))
            received = max(received, (await log.send(before)).received)
        known.append(received)
    return known, {log.name: name for name, log in logs.items()}


def _logs(told: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(line["log"] for line in told))


async def _answer(store: Store, item: str, view: View) -> ItemAnswer:
    told = await store.tell(item, view)
    findings = review(told.world, item, told.said, view.at, site=DEFAULT)
    assert findings is not None
    return answer(
        told,
        item,
        at=view.at,
        known_at=view.known_at,
        horizon=Horizon(),
        site=DEFAULT,
    )


def _plain(found: ItemAnswer, field: str, logs: dict[str, str]) -> object:
    if field == "exceptions":
        return sorted(one.code for one in found.exceptions)
    value = getattr(found, field)
    if field.endswith("_event") and value is not None:
        log, _, seq = value.rpartition(":")
        return f"{logs[log]}:{seq}"
    return value


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
async def test_the_scenarios_of_the_contract_hold(store: Store, path: Path) -> None:
    scenario = json.loads(path.read_text())  # noqa: ASYNC240 # nothing else runs
    known, logs = await _play(store, scenario["phases"])
    for expect in scenario["expect"]:
        at = to_moment(expect["at"]) if "at" in expect else None
        after = expect.get("known_after")
        until = known[-1] if after is None else known[after]
        view = View(at=until if at is None else at, known_at=until)
        answers = [await _answer(store, expect["item"], view)]
        if at is None and after is None:
            answers.append(await store.item(expect["item"]))
        for found in answers:
            for field, value in expect["answer"].items():
                assert _plain(found, field, logs) == value, (expect, found)


async def test_a_list_has_once_what_was_there_when_it_began(store: Store) -> None:
    """Whatever is first named while it is read, by whomever."""
    logs = [await joined(store, f"S-{number}") for number in range(3)]
    for number in range(40):
        logs[0].write("see", number, item=f"P-{number}", location="A")
    await logs[0].send()
    seen: list[str] = []
    after = 0
    for turn in count(1):
        for log in logs[1:]:
            log.write("see", turn, item=f"{log.name[:4]}-{turn}", location="A")
            await log.send(len(log.lines) - 1)
        page = await store.items(ItemQuery(location="A", after=after, limit=7))
        seen += [found.item for found in page.answers]
        if page.after is None or turn > 20:
            break
        after = page.after
    assert len(seen) == len(set(seen))
    assert {f"P-{number}" for number in range(40)} <= set(seen)
