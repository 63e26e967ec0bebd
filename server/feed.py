"""How a line is written for those who read the feed. Pure."""

import base64

import msgspec

from server.store import Entry
from shared.api.feed import FeedEvent
from shared.moments import to_text

__all__ = ["feed_event", "server_sent"]


def feed_event(entry: Entry) -> FeedEvent:
    """Write a line for a reader, also one that is no JSON."""
    plain = entry.quarantined is None or _is_json(entry.line)
    return FeedEvent(
        position=entry.position,
        event=entry.event,
        station=entry.station,
        occurred_at=to_text(entry.occurred),
        occurred_lo=to_text(entry.lo),
        occurred_hi=to_text(entry.hi),
        received_at=to_text(entry.received),
        quarantined=entry.quarantined,
        line=msgspec.Raw(entry.line) if plain else None,
        bytes=None if plain else base64.b64encode(entry.line).decode(),
    )


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return False
    return True


def server_sent(kind: str, value: object, identity: int | None = None) -> bytes:
    """Write one server-sent event: HTML Living Standard, section 9.2.

    A line feed or carriage return ends a line of the stream, and JSON may have either
    between its parts: each piece becomes a line of data of its own.
    """
    named = "" if identity is None else f"id: {identity}\n"
    pieces = msgspec.json.encode(value).replace(b"\r", b"\n").split(b"\n")
    lines = b"".join(b"data: %s\n" % piece for piece in pieces)
    return f"{named}event: {kind}\n".encode() + lines + b"\n"
