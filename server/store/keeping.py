"""How what is known of an item is written, whichever the database. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from server.events import Event, Order
from server.exceptions import Case
from server.findings import Finding
from server.kept import Kept
from server.known import Known
from server.store.answering import State
from shared.lines import read_again

__all__ = [
    "HEARD",
    "MOST_HEARD",
    "STATE",
    "columns",
    "event_of",
    "findings_of",
    "kept_of",
    "packed",
    "written",
]

STATE: msgspec.msgpack.Decoder[State] = msgspec.msgpack.Decoder(State)
"""What is known of an item, what is wrong with it, and `Kept.taken_out`."""

HEARD: msgspec.msgpack.Decoder[list[int]] = msgspec.msgpack.Decoder(list[int])
"""Events that speak of an item: see `server.kept.heard`."""

MOST_HEARD = 64
"""How many events are kept in an item's row, before they are put apart."""

packed = msgspec.msgpack.Encoder().encode
"""Write a value as it is kept."""


def kept_of(key: str, number: int, state: bytes, heard: bytes) -> Kept:
    """Return what is kept of an item, as its row has it."""
    known, case, taken_out = STATE.decode(state)
    return Kept(
        key=key,
        known=known,
        case=case,
        heard=HEARD.decode(heard),
        taken_out=taken_out,
        id=number,
        found=findings_of(case),
        row=columns(known),
    )


def written(one: Kept) -> tuple[bytes, bytes]:
    """Write what is kept of an item: its state, and what is heard of it."""
    return packed((one.known, one.case, one.taken_out)), packed(one.heard)


def columns(known: Known) -> tuple[object, ...]:
    """Return what items are looked for by, and when this one was last spoken of."""
    status, location, custodian = known.status, known.location, known.custodian
    return (
        None if status is None else status.value,
        None if location is None else location.value,
        None if custodian is None else custodian.value,
        known.container,
        known.gone,
        known.told,
    )


def findings_of(case: Case) -> frozenset[Finding]:
    """Return what is wrong, or will be once its time has come."""
    return frozenset((*case.open.values(), *case.due.values()))


def event_of(row: Sequence[Any]) -> Event:
    """Return the event of a row: log, seq, times, received, line, voided by."""
    log, seq, occurred, lo, hi, received, data, voided_by = row
    line = read_again(data)
    return Event(
        order=Order(occurred, log, seq),
        lo=lo,
        hi=hi,
        received=received,
        line=line,
        # a void of a void has no effect
        voided_by=None if line.action == "void" and not line.refused else voided_by,
    )
