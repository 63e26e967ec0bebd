"""What each route takes and gives, for the description at ``/openapi.json``.

A route that is not described here is found by a test. What a call does is said by its
handler's docstring.
"""

from collections.abc import Mapping

import msgspec

from server.imports import KINDS
from server.sheets import ENCODINGS
from shared.api.acts import Remark, Settle, Written
from shared.api.changes import ItemChanges
from shared.api.exceptions import ExceptionPage
from shared.api.feed import EVENT_STREAM, FeedPage
from shared.api.imports import ImportReport
from shared.api.items import ItemAnswer, ItemEvents, ItemPage
from shared.api.loads import DeparturePage, LoadManifest, LoadPage
from shared.api.stations import (
    CodePage,
    NewStation,
    Revoke,
    StationCode,
    StationPage,
    StationSettings,
)
from shared.api.wanted import Want, Wanted, WantedPage
from shared.protocol import Appended, Enrol, Enrolled, LogState, NextTaken, NextToken
from shared.reference import Reference

__all__ = ["OPERATIONS", "Operation", "Parameter"]

JSON = "application/json"
NDJSON = "application/x-ndjson"

Schema = Mapping[str, object]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of the query, or a header."""

    name: str
    schema: Schema
    says: str
    required: bool = False
    header: bool = False


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What a call takes and gives.

    ``answer`` is the type of the JSON answer; ``media`` are the other media types that
    an answer can have. ``body`` is the type of a JSON body, ``sent`` the media types of
    another. ``tagged``: the answer has an ETag, and 304 says that it did not change.
    """

    answer: type | None = None
    status: int = 200
    media: tuple[str, ...] = ()
    body: type | None = None
    optional: bool = False
    sent: tuple[str, ...] = ()
    takes: tuple[Parameter, ...] = ()
    tagged: bool = False


_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_FLAG: Schema = {"type": "string", "enum": ["true", "false"]}
_HEAD: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _count(most: int) -> Schema:
    return {"type": "integer", "minimum": 0, "maximum": most}


def _choice(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


_AT = Parameter("at", _TIME, "as of this moment; now where it is missing")
_KNOWN_AT = Parameter("known_at", _TIME, "from what was received by this moment")
_LIMIT = Parameter("limit", _count(1000), "at most so many")
_CURSOR = Parameter("cursor", _TEXT, "from the page before")
_AFTER = Parameter("after", _count(2**63 - 1), "the position that was had last")
_FORMAT = Parameter("format", _choice("csv", "ndjson"), "NDJSON where it is missing")
_CODE = Parameter("code", _TEXT, "exceptions of this code")
_FILTERS = (
    Parameter("status", _TEXT, "items with this status"),
    Parameter("container", _TEXT, "items directly in this"),
    Parameter("custodian", _TEXT, "items that this operator holds"),
    Parameter("q", _TEXT, "items with this in their key"),
)
_TITLE = Parameter(
    "title", _TEXT, "items with these words in their title; without other filters"
)
_LOCATION = Parameter("location", _TEXT, "items at this location")
_SIGNED = (
    Parameter("Scantrail-Base", _HEAD, "H(N), in hex", required=True, header=True),
    Parameter("Scantrail-Head", _HEAD, "H(M), in hex", required=True, header=True),
    Parameter(
        "Scantrail-Signature",
        _TEXT,
        "base64 of the Ed25519 signature",
        required=True,
        header=True,
    ),
    Parameter("Scantrail-Clock", _TEXT, "the station's clocks", header=True),
    Parameter("Scantrail-Health", _TEXT, "how the station does", header=True),
    Parameter("Content-Encoding", _choice("gzip", "zstd", "identity"), "", header=True),
)

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/healthz"): Operation(answer=dict),
    ("GET", "/readyz"): Operation(answer=dict),
    ("GET", "/metrics"): Operation(media=("text/plain",)),
    ("GET", "/openapi.json"): Operation(answer=dict),
    ("POST", "/v1/enrol"): Operation(answer=Enrolled, body=Enrol),
    ("POST", "/v1/token"): Operation(answer=NextTaken, body=NextToken),
    ("POST", "/v1/stations"): Operation(
        answer=StationCode, status=201, body=NewStation
    ),
    ("GET", "/v1/stations"): Operation(answer=StationPage),
    ("GET", "/v1/codes"): Operation(answer=CodePage, takes=(_LIMIT,)),
    ("POST", "/v1/stations/{station}/revoke"): Operation(
        answer=Written, status=201, body=Revoke, optional=True
    ),
    ("PUT", "/v1/stations/{station}/settings"): Operation(
        answer=Written, status=201, body=StationSettings
    ),
    ("GET", "/v1/logs/{log}"): Operation(answer=LogState),
    ("POST", "/v1/logs/{log}/lines"): Operation(
        answer=Appended,
        sent=(NDJSON,),
        takes=(
            Parameter(
                "after", _count(2**53), "N: the lines begin behind it", required=True
            ),
            *_SIGNED,
        ),
    ),
    ("POST", "/v1/logs/{log}/raw"): Operation(
        answer=Appended,
        sent=("application/octet-stream",),
        takes=(
            Parameter("seq", _count(2**53), "the line's number", required=True),
            *_SIGNED,
        ),
    ),
    ("GET", "/v1/reference"): Operation(answer=Reference, tagged=True),
    ("GET", "/v1/items"): Operation(
        answer=ItemPage, takes=(*_FILTERS, _TITLE, _LOCATION, _LIMIT, _CURSOR)
    ),
    ("GET", "/v1/items/{item}"): Operation(
        answer=ItemAnswer, takes=(_AT, _KNOWN_AT), tagged=True
    ),
    ("GET", "/v1/items/{item}/events"): Operation(
        answer=ItemEvents, takes=(_AT, _KNOWN_AT)
    ),
    ("GET", "/v1/items/{item}/changes"): Operation(
        answer=ItemChanges,
        takes=(
            _AT,
            _KNOWN_AT,
            Parameter("until_at", _TIME, "as at, of the later view; now if missing"),
            Parameter("until_known_at", _TIME, "as known_at, of the later view"),
        ),
    ),
    ("POST", "/v1/items/{item}/resolve"): Operation(
        answer=Written, status=201, body=Settle
    ),
    ("POST", "/v1/items/{item}/note"): Operation(
        answer=Written, status=201, body=Remark
    ),
    ("GET", "/v1/locations/{location}/items"): Operation(
        answer=ItemPage, takes=(*_FILTERS, _LIMIT, _CURSOR)
    ),
    ("POST", "/v1/import/{kind}"): Operation(
        answer=ImportReport,
        sent=("text/csv", JSON),
        takes=(
            Parameter("dry_run", _FLAG, "show what would change, and change nothing"),
            Parameter("encoding", _choice(*ENCODINGS), "of a CSV file"),
            Parameter(
                "status",
                {"type": "array", "items": {"type": "string", "pattern": "^.+=.+$"}},
                "THEIRS=OURS: what a status of theirs is called here",
            ),
        ),
    ),
    ("GET", "/v1/export/items"): Operation(
        media=(NDJSON, "text/csv"), takes=(*_FILTERS, _LOCATION, _FORMAT)
    ),
    ("GET", "/v1/export/events"): Operation(
        media=(NDJSON, "text/csv"), takes=(_AFTER, _FORMAT)
    ),
    ("GET", "/v1/export/exceptions"): Operation(
        media=(NDJSON, "text/csv"), takes=(_CODE, _FORMAT)
    ),
    ("GET", "/v1/exceptions"): Operation(
        answer=ExceptionPage,
        takes=(
            _CODE,
            Parameter("open", _choice("true", "false", "all"), "the open ones if not"),
            _LIMIT,
            _CURSOR,
        ),
    ),
    ("GET", "/v1/events"): Operation(
        answer=FeedPage,
        media=(EVENT_STREAM,),
        takes=(
            _AFTER,
            _LIMIT,
            Parameter("Last-Event-ID", _TEXT, "as after, of a stream", header=True),
        ),
    ),
    ("GET", "/v1/loads"): Operation(
        answer=LoadPage, takes=(Parameter("limit", _count(500), "at most so many"),)
    ),
    ("GET", "/v1/loads/{load}"): Operation(
        answer=LoadManifest,
        takes=(
            _AT,
            _KNOWN_AT,
            Parameter("departure", _TEXT, "as of this one of its departures, an event"),
        ),
    ),
    ("GET", "/v1/departures"): Operation(
        answer=DeparturePage,
        takes=(
            Parameter("since", _TIME, "of loads that left at this moment or later"),
            Parameter("until", _TIME, "and at this one or before; now if not"),
            _KNOWN_AT,
            Parameter("q", _TEXT, "of loads with this in their key"),
            Parameter("limit", _count(200), "at most so many"),
            _CURSOR,
        ),
    ),
    ("GET", "/v1/wanted"): Operation(answer=WantedPage),
    ("PUT", "/v1/wanted/{item}"): Operation(answer=Wanted, body=Want, optional=True),
    ("DELETE", "/v1/wanted/{item}"): Operation(status=204),
}
"""Every operation there is."""

PATHS: Mapping[str, Schema] = {
    "item": {"type": "string", "minLength": 1, "maxLength": 1024},
    "load": {"type": "string", "minLength": 1, "maxLength": 1024},
    "location": {"type": "string", "minLength": 1, "maxLength": 1024},
    "station": {"type": "string", "minLength": 1, "maxLength": 100},
    "log": {"type": "string", "format": "uuid"},
    "kind": _choice(*KINDS),
}
"""What a part of a path may be, by its name."""
