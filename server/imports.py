"""What a table of a host system becomes: lines of the log, for what is new in it. Pure.

Every kind of table is a row of `KINDS`. A table is planned before anything is written:
what its rows would say is compared with what holds, and only what differs becomes a
line. So bringing the same table again changes nothing.

The table of an old system (``legacy``) becomes claims. A claim is another system's
word: it is kept and compared with the scans, and never believed.
"""

import math
from collections.abc import Callable, Collection, Mapping

import msgspec

from server.legible import doubts
from server.sheets import Names, Row, Table
from server.site import SHIPPED
from server.store import Said
from shared import keys
from shared.api.imports import ImportChange, RowError
from shared.hosts import LOAD, HostLine, Topic

__all__ = ["KINDS", "Change", "Kind", "Plan", "doubtful", "plan", "understood"]

Fields = dict[str, object]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of table.

    ``names`` are its columns as they may be called, ``needs`` those that a row must
    have, the key first. ``line`` makes of a row the fields of a line, of which
    ``compares`` are compared with what holds of ``topic``.
    """

    topic: Topic
    names: Names
    needs: tuple[str, ...]
    line: Callable[[Mapping[str, str]], Fields]
    compares: tuple[str, ...]


class _WrongError(ValueError):
    """What is wrong with a cell, for a person."""


def _item(text: str) -> str:
    found = keys.parse(text)
    return found.text if found.kind is keys.Kind.ITEM else text


def _place(text: str) -> str:
    found = keys.parse(text)
    return found.text if found.kind is keys.Kind.LOCATION else text


def _badge(text: str) -> str:
    found = keys.parse(text)
    return found.text if found.kind is keys.Kind.OPERATOR else text


_YES = {"yes": True, "true": True, "1": True, "x": True}
_NO = {"no": None, "false": None, "0": None}


def _yes(row: Mapping[str, str], name: str) -> bool | None:
    text = row.get(name, "no").lower()
    if text not in {**_YES, **_NO}:
        reason = f"{name}: {text[:40]!r}; expected yes or no"
        raise _WrongError(reason)
    return _YES.get(text)


def _number(row: Mapping[str, str], name: str) -> float | None:
    if name not in row:
        return None
    try:
        value = float(row[name].replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        reason = f"{name}: {row[name][:40]!r}; expected a number"
        raise _WrongError(reason)
    return value


def _location(row: Mapping[str, str]) -> Fields:
    return {
        "action": "note",
        "location": _place(row["location"]),
        "title": row.get("name", ""),
        "kind": row.get("kind"),
        "ended": _yes(row, "ended"),
        **{name: _number(row, name) for name in ("x", "y", "w", "h")},
    }


def _operator(row: Mapping[str, str]) -> Fields:
    return {
        "action": "note",
        "operator": _badge(row["operator"]),
        "title": row.get("name", ""),
        "ended": _yes(row, "ended"),
    }


def _load(row: Mapping[str, str]) -> Fields:
    load = _item(row["load"])
    title = row.get("name", load)
    return {"action": "note", "item": load, "title": title, "kind": LOAD}


def _expect(row: Mapping[str, str]) -> Fields:
    item, load = _item(row["item"]), _item(row["load"])
    if item == load:
        reason = f"{item} cannot be expected on itself"
        raise _WrongError(reason)
    return {"action": "expect", "item": item, "container": load}


def _claim(row: Mapping[str, str]) -> Fields:
    return {
        "action": "claim",
        "item": _item(row["item"]),
        "status": row["status"],
        "title": row.get("title"),
        "as_of": row.get("as_of"),
        "reason": row.get("reason"),
    }


def _title(row: Mapping[str, str]) -> Fields:
    return {"action": "note", "item": _item(row["item"]), "title": row["title"]}


def _wanted(row: Mapping[str, str]) -> Fields:
    return {
        "action": "note",
        "item": _item(row["item"]),
        "wanted": True,
        "reason": row.get("reason"),
    }


def _names(*columns: str, **others: str) -> Names:
    plain = {column.replace("_", " "): column for column in columns}
    return {**plain, **{o.replace("_", " "): column for o, column in others.items()}}


_CLAIMED = ("status", "title", "as_of", "reason")
_ITEM = {"id": "item", "barcode": "item", "code": "item", "package": "item"}

KINDS: Mapping[str, Kind] = {
    "locations": Kind(
        topic=Topic.LOCATION,
        names=_names(
            *("location", "name", "kind", "x", "y", "w", "h", "ended"), title="name"
        ),
        needs=("location",),
        line=_location,
        compares=("title", "kind", "x", "y", "w", "h", "ended"),
    ),
    "operators": Kind(
        topic=Topic.OPERATOR,
        names=_names("operator", "name", "ended", badge="operator", title="name"),
        needs=("operator",),
        line=_operator,
        compares=("title", "ended"),
    ),
    "loads": Kind(
        topic=Topic.TITLE,
        names=_names("load", "name", title="name"),
        needs=("load",),
        line=_load,
        compares=("title", "kind"),
    ),
    "expect": Kind(
        topic=Topic.EXPECTED,
        names=_names("item", "load", **_ITEM, container="load"),
        needs=("item", "load"),
        line=_expect,
        compares=("container",),
    ),
    "claims": Kind(
        topic=Topic.CLAIM,
        names=_names("item", *_CLAIMED, **_ITEM),
        needs=("item", "status"),
        line=_claim,
        compares=_CLAIMED,
    ),
    "titles": Kind(
        topic=Topic.TITLE,
        names=_names("item", "title", **_ITEM, name="title"),
        needs=("item", "title"),
        line=_title,
        compares=("title",),
    ),
    "wanted": Kind(
        topic=Topic.WANTED,
        names=_names("item", "reason", **_ITEM),
        needs=("item",),
        line=_wanted,
        compares=("wanted", "reason"),
    ),
    "legacy": Kind(
        topic=Topic.CLAIM,
        names=_names(
            *("item", "status", "as_of", "title"),
            **_ITEM,
            last_updated="as_of",
            updated="as_of",
            updated_at="as_of",
            name="title",
        ),
        needs=("item", "status"),
        line=_claim,
        compares=_CLAIMED,
    ),
}
"""Every kind of table that can be brought."""


class Change(msgspec.Struct, frozen=True):
    """What one row would say, under which key, and in which row it stands."""

    number: int
    key: str
    line: HostLine


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What bringing a table would do: these lines, of which so many are new."""

    changes: list[Change]
    shown: list[ImportChange]
    new: int
    same: int


def understood(
    kind: Kind, table: Table, *, by: str, statuses: Mapping[str, str] | None = None
) -> tuple[list[Change], list[RowError]]:
    """Make of each row what it would say; the same row twice says it once.

    Args:
        kind: What the table is.
        table: Its rows.
        by: Who brings it.
        statuses: What a status of theirs, in lower case, is called here. What left is
            ``shipped`` however they write it, unless this says otherwise.
    """
    words = {SHIPPED: SHIPPED, **(statuses or {})}
    found: dict[str, Change] = {}
    wrong: list[RowError] = []
    for row in table.rows:
        try:
            change = _change(kind, row, by, words)
        except _WrongError as error:
            wrong.append(RowError(row=row.number, text=str(error)))
            continue
        first = found.setdefault(change.key, change)
        if first.line != change.line:
            text = f"{change.key} stands in row {first.number} with something else"
            wrong.append(RowError(row=row.number, text=text))
    return list(found.values()), wrong


def _change(kind: Kind, row: Row, by: str, statuses: Mapping[str, str]) -> Change:
    missing = [name for name in kind.needs if name not in row.cells]
    if missing:
        reason = f"{' and '.join(missing)} missing"
        raise _WrongError(reason)
    cells = dict(row.cells)
    theirs = cells.get("status", "").lower()
    if theirs in statuses:
        cells["status"] = statuses[theirs]
    fields = kind.line(cells)
    line = msgspec.convert({"seq": 1, "at": "", "by": by, **fields}, HostLine)
    key = line.item or line.location or line.operator or ""
    return Change(row.number, key, line)


def doubtful(changes: Collection[Change]) -> list[RowError]:
    """Say of each row that no label will ever match what a label would read as."""
    return [
        RowError(row=change.number, text=text)
        for change in changes
        for text in doubts(change.line)
    ]


def plan(kind: Kind, changes: Collection[Change], holding: Collection[Said]) -> Plan:
    """Compare what the rows would say with what holds."""
    known = {said.key: said.line for said in holding}
    differing = [
        change
        for change in changes
        if change.key not in known or not _same(kind, known[change.key], change.line)
    ]
    return Plan(
        changes=differing,
        shown=[
            ImportChange(
                row=change.number,
                key=change.key,
                before=_says(kind, known.get(change.key)),
                after=_says(kind, change.line) or {},
            )
            for change in differing
        ],
        new=sum(change.key not in known for change in differing),
        same=len(changes) - len(differing),
    )


def _same(kind: Kind, one: HostLine, other: HostLine) -> bool:
    return all(
        (getattr(one, name) or None) == (getattr(other, name) or None)
        for name in kind.compares
    )


def _says(kind: Kind, line: HostLine | None) -> dict[str, str] | None:
    if line is None:
        return None
    values = {name: getattr(line, name) for name in kind.compares}
    return {n: str(value) for n, value in values.items() if value not in (None, "")}
