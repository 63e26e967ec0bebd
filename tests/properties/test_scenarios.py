"""The contract's own scenarios, told to the model and to the rules."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.moments import to_moment
from tests.properties.histories import events, served
from tests.properties.model import Found, Scan, ask_all
from tests.scenarios import SCENARIOS

_LATER = to_moment("2100-01-01T00:00:00.000000Z")


def _scans(scenario: dict[str, Any]) -> list[Scan]:
    told = [
        (phase, line)
        for phase, lines in enumerate(scenario["phases"])
        for line in lines
    ]
    seqs = [
        [x["log"] for _, x in told[: i + 1]].count(x["log"])
        for i, (_, x) in enumerate(told)
    ]
    names = {
        x["id"]: f"{x['log']}:{n}"
        for (_, x), n in zip(told, seqs, strict=True)
        if "id" in x
    }
    return [
        Scan(
            occurred=to_moment(line["at"]),
            log=line["log"],
            seq=seq,
            received=phase,
            action=line["action"],
            item=line.get("item"),
            location=line.get("location"),
            container=line.get("container"),
            operator=line.get("operator"),
            items=tuple(line.get("items", ())),
            voids=names.get(line.get("voids")),
            status=line.get("status"),
            refused="refused" in line,
        )
        for (phase, line), seq in zip(told, seqs, strict=True)
    ]


def _plain(found: Found, field: str) -> object:
    value = getattr(found, field)
    if field == "exceptions":
        return sorted(one.code for one in found.exceptions)
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_scenarios_of_the_contract_hold(path: Path) -> None:
    scenario = json.loads(path.read_text())
    scans = _scans(scenario)
    for expect in scenario["expect"]:
        at = to_moment(expect["at"]) if "at" in expect else _LATER
        known_after = expect.get("known_after")
        known_at = _LATER if known_after is None else known_after
        item = expect["item"]
        for found in (
            ask_all(scans, [item], at, known_at)[item],
            served(events(scans, known_at), item, at),
        ):
            for field, value in expect["answer"].items():
                moment = field.endswith("_since") and value is not None
                want = to_moment(value) if moment else value
                assert _plain(found, field) == want, (expect, found)
