"""What goes over the wire: headers, requests, answers, problems, limits.

Contract, sections 3 and 7. Both ends read and write these types and no others.
"""

from typing import Annotated, Any, Literal

import msgspec

from shared.errors import ProtocolError
from shared.health import ScannerState
from shared.moments import to_moment, to_text

__all__ = [
    "BASE",
    "CLOCK",
    "HEAD",
    "MAX_BATCH_LINES",
    "MAX_PACKED",
    "MAX_UNPACKED",
    "SIGNATURE",
    "Appended",
    "ClockReading",
    "Contradiction",
    "Departure",
    "DeparturePage",
    "Enrol",
    "Enrolled",
    "ExceptionPage",
    "FoundException",
    "ImportChange",
    "ImportReport",
    "ItemAnswer",
    "ItemChange",
    "ItemChanges",
    "ItemEvent",
    "ItemEvents",
    "ItemException",
    "ItemPage",
    "LoadManifest",
    "LoadPage",
    "LoadState",
    "LogState",
    "NewStation",
    "NextTaken",
    "NextToken",
    "NotOnLoad",
    "OnLoad",
    "Outcomes",
    "Problem",
    "ProblemType",
    "Revoke",
    "RowError",
    "Settle",
    "Sighting",
    "StationCode",
    "StationException",
    "StationPage",
    "StationSettings",
    "StationState",
    "Untold",
    "Was",
]

BASE = "Scantrail-Base"
"""H(N): the head before the first line of the request, in hex."""
HEAD = "Scantrail-Head"
"""H(M): the head after its last line, in hex."""
SIGNATURE = "Scantrail-Signature"
"""Base64 of the Ed25519 signature of ``chain.signed_message(log, M, H(M))``."""
CLOCK = "Scantrail-Clock"
"""A ClockReading, taken just before sending."""

MAX_BATCH_LINES = 10_000
"""Lines in one request, at most."""
MAX_PACKED = 4 * 1024 * 1024
"""Bytes of a request's body as sent, at most."""
MAX_UNPACKED = 16 * 1024 * 1024
"""Bytes of a request's body once decompressed, at most."""


NAME = r"^[\w!-~][\w -~]{0,99}$"
"""What a station may be called: up to 100 letters, digits, ASCII marks and blanks."""


class ProblemType:
    """The ``type`` of a problem: what a program may act on."""

    GAP = "urn:scantrail:problem:gap"
    FORK = "urn:scantrail:problem:fork"
    CODE = "urn:scantrail:problem:code"
    LOG = "urn:scantrail:problem:log"
    TOO_LARGE = "urn:scantrail:problem:too-large"
    FRAMING = "urn:scantrail:problem:framing"
    SIGNATURE = "urn:scantrail:problem:signature"
    UNAUTHORISED = "urn:scantrail:problem:unauthorised"
    FORBIDDEN = "urn:scantrail:problem:forbidden"
    REVOKED = "urn:scantrail:problem:revoked"
    REPLACED = "urn:scantrail:problem:token-replaced"
    DISPLACED = "urn:scantrail:problem:displaced"
    TAKEN = "urn:scantrail:problem:name-taken"
    PROVE = "urn:scantrail:problem:prove"
    SECOND = "urn:scantrail:problem:second-factor"
    INVALID = "urn:scantrail:problem:invalid"
    NOT_FOUND = "urn:scantrail:problem:not-found"
    STORAGE = "urn:scantrail:problem:storage"
    BUSY = "urn:scantrail:problem:busy"
    INTERNAL = "urn:scantrail:problem:internal"


class Problem(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An RFC 9457 problem document; ``acked`` and ``head`` where a log is concerned."""

    type: str
    title: str
    status: int
    detail: str = ""
    acked: int | None = None
    head: str | None = None


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a station's clocks showed at one instant.

    ``boot`` is the machine's boot id, ``mono`` CLOCK_BOOTTIME in microseconds, ``at``
    the wall clock in microseconds since 1970, ``synced`` whether the kernel held the
    wall clock to be synchronised.
    """

    at: int
    boot: str
    mono: int
    synced: bool

    def header(self) -> str:
        """Write it as the value of the CLOCK header."""
        synced = "true" if self.synced else "false"
        at = to_text(self.at)
        return f"boot={self.boot}; mono={self.mono}; at={at}; synced={synced}"

    @classmethod
    def from_header(cls, text: str) -> "ClockReading":
        """Read the value of a CLOCK header.

        Raises:
            ProtocolError: It is not one.
        """
        parts = dict(
            part.strip().split("=", 1) for part in text.split(";") if "=" in part
        )
        try:
            mono = int(parts["mono"])
            if not 0 <= mono < 2**63:
                raise ValueError(parts["mono"])  # noqa: TRY301
            return cls(
                at=to_moment(parts["at"]),
                boot=parts["boot"][:64],
                mono=mono,
                synced={"true": True, "false": False}[parts["synced"]],
            )
        except (KeyError, ValueError) as error:
            reason = (
                f"{CLOCK} reads {text[:200]!r}; "
                "expected boot=…; mono=…; at=…; synced=true or false"
            )
            raise ProtocolError(reason) from error


class NewStation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/stations``: a station, or a host system, that may join.

    ``replaces``: it takes the place of the one that has the name now, which is refused
    from then on. Without it a name that is in use is refused.
    """

    name: Annotated[str, msgspec.Meta(pattern=NAME)]
    location: str | None = None
    kind: Literal["station", "host"] = "station"
    replaces: bool = False


class StationCode(msgspec.Struct, kw_only=True):
    """Its answer: the one-time code that lets the station join until it expires."""

    station: str
    code: str
    expires_at: str


class Enrol(msgspec.Struct, kw_only=True):
    """``POST /v1/enrol``: a station joins; ``public_key`` is base64 of 32 bytes.

    ``have``: where the log is another station's, the refusal names its head at this
    line or, where the server has not got so far, at its last one.
    """

    code: str
    public_key: str
    log: str
    have: Annotated[int, msgspec.Meta(ge=0)] | None = None
    version: str = ""
    host: str = ""


class Enrolled(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Its answer. The token is shown this once; the server keeps only its hash."""

    station: str
    token: str
    server: str
    epoch: str
    location: str | None = None


class NextToken(msgspec.Struct, kw_only=True):
    """``POST /v1/token``: the token that a station will use next.

    ``token_hash`` is its SHA-256, in hex; ``signature`` base64 of the Ed25519 signature
    of ``chain.token_message(station, token_hash)``.
    """

    token_hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    signature: str


class NextTaken(msgspec.Struct, kw_only=True):
    """Its answer: from now on that token holds too, and alone once it is used."""

    station: str
    token_hash: str


class Outcomes(msgspec.Struct, kw_only=True):
    """What became of a request's lines; ``quarantined`` lists their ``seq``."""

    appended: int
    already: int
    quarantined: list[int]


class Appended(msgspec.Struct, kw_only=True):
    """The acknowledgement: all lines up to ``acked`` are durable at the server.

    ``backed_up`` is the last line in a checked copy of the server's data, ``reference``
    the ETag of the present reference data. ``token_due``: the station's token should be
    replaced. A 200 without this body says nothing.
    """

    acked: int
    head: str
    outcomes: Outcomes
    backed_up: int
    epoch: str
    received_at: str
    reference: str
    token_due: bool = False


class LogState(msgspec.Struct, kw_only=True):
    """``GET /v1/logs/{log}``."""

    log: str
    station: str
    acked: int
    head: str
    backed_up: int


class Untold(msgspec.Struct, kw_only=True):
    """A station that may hold more than it has told, and up to when it has told all."""

    station: str
    complete_until: str | None


class ItemException(msgspec.Struct, kw_only=True):
    """A contradiction or an omission that a person should look at."""

    code: str
    since: str
    event: str
    text: str


class ItemAnswer(msgspec.Struct, kw_only=True, gc=False):
    """Where an item is, since when, on what evidence: ``GET /v1/items/{item}``.

    Events are named ``<log>:<seq>``. ``path`` is what the item is in, nearest first.
    """

    item: str
    known: bool
    status: str | None = None
    status_since: str | None = None
    status_event: str | None = None
    location: str | None = None
    location_since: str | None = None
    location_event: str | None = None
    custodian: str | None = None
    custodian_since: str | None = None
    container: str | None = None
    path: list[str] = []
    title: str | None = None
    exceptions: list[ItemException] = []
    at: str
    known_at: str
    complete_until: str | None = None
    behind: list[Untold] = []


class ItemPage(msgspec.Struct, kw_only=True):
    """``GET /v1/items``; ``cursor`` leads to what follows, ``None`` at the end."""

    items: list[ItemAnswer]
    cursor: str | None = None
    complete_until: str | None = None
    behind: list[Untold] = []


class FoundException(msgspec.Struct, kw_only=True):
    """An exception of an item or of a station; open where ``until`` is ``None``."""

    item: str | None = None
    station: str | None = None
    code: str
    since: str
    until: str | None = None
    event: str | None = None
    text: str


class ExceptionPage(msgspec.Struct, kw_only=True):
    """``GET /v1/exceptions``, newest first; ``cursor`` as in ItemPage."""

    exceptions: list[FoundException]
    cursor: str | None = None
    complete_until: str | None = None
    behind: list[Untold] = []


class ItemEvent(msgspec.Struct, kw_only=True):
    """One event of an item's history.

    ``line`` is what the station wrote. ``via`` is the container through which the
    event speaks of the item, where it is not the item's own. ``basis`` is what its time
    rests on: ``clock``, ``boot``, ``synced``, or ``guess`` where only its neighbours in
    the log tell.
    """

    event: str
    occurred_at: str
    occurred_lo: str
    occurred_hi: str
    basis: str
    received_at: str
    station: str
    line: msgspec.Raw
    voided_by: str | None = None
    via: str | None = None


class ItemEvents(msgspec.Struct, kw_only=True):
    """``GET /v1/items/{item}/events``, in the order in which things happened."""

    item: str
    events: list[ItemEvent]
    known_at: str
    complete_until: str | None = None
    behind: list[Untold] = []


class StationException(msgspec.Struct, kw_only=True):
    """Something about a station that a person should look at."""

    code: str
    since: str
    text: str


class StationState(msgspec.Struct, kw_only=True):
    """One station as the server knows it.

    ``horizon`` is the moment up to which it has told everything, ``clock_offset`` how
    far its wall clock was ahead of the server's at the last exchange, in seconds.
    What the station says of itself is as of ``reported_at``: ``backlog`` are lines that
    it had not sent, the first of them ``backlog_age`` seconds old; ``unsaved`` are
    scans in its memory only, and ``problem`` says why; ``disk_free`` is in bytes,
    ``battery`` in per cent.
    """

    station: str
    kind: str
    location: str | None = None
    log: str | None = None
    acked: int = 0
    joined_at: str | None = None
    heard_at: str | None = None
    horizon: str | None = None
    clock_offset: float | None = None
    clock_synced: bool | None = None
    reported_at: str | None = None
    backlog: int | None = None
    backlog_age: float | None = None
    unsaved: int = 0
    problem: str = ""
    disk_free: int | None = None
    battery: int | None = None
    scanners: list[ScannerState] = []
    exceptions: list[StationException] = []
    version: str = ""
    host: str = ""
    revoked: bool = False


class StationPage(msgspec.Struct, kw_only=True):
    """``GET /v1/stations``."""

    stations: list[StationState]
    cursor: str | None = None


class Settle(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/items/{item}/resolve``: somebody settles an exception."""

    exception: Annotated[str, msgspec.Meta(min_length=1)]
    reason: str = ""


class Remark(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/items/{item}/note``: a title for the item, or a remark on it."""

    title: Annotated[str, msgspec.Meta(min_length=1)] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    text: Annotated[str, msgspec.Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET


class Written(msgspec.Struct, kw_only=True):
    """An act was written into the server's own log: its event, ``<log>:<seq>``."""

    event: str


class Want(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``PUT /v1/wanted/{item}``."""

    reason: str = ""


class Sighting(msgspec.Struct, kw_only=True):
    """A scan of an item's own label: where, by whose badge, at which station."""

    event: str
    scanned_at: str
    location: str | None
    operator: str | None
    station: str


class Wanted(msgspec.Struct, kw_only=True):
    """An item that every station looks out for: since when, who asked, and why.

    ``found`` is the first scan of it since then. ``warnings`` say why no scan may ever
    find it: that no label reads as such a key.
    """

    item: str
    reason: str
    by: str
    since: str
    event: str
    title: str | None = None
    found: Sighting | None = None
    warnings: list[str] = []


class WantedPage(msgspec.Struct, kw_only=True):
    """``GET /v1/wanted``."""

    wanted: list[Wanted]


class Revoke(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/stations/{station}/revoke``: its token no longer opens anything."""

    reason: str = ""


class StationSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``PUT /v1/stations/{station}/settings``: a table as in its settings file."""

    settings: dict[str, Any]


class LoadState(msgspec.Struct, kw_only=True):
    """A load that has not left.

    ``on_board`` is what is in it now, however deep; ``extra`` is on board and was not
    expected. ``told_at`` is when somebody last said something of it.
    """

    load: str
    name: str
    told_at: str
    expected: list[str]
    on_board: list[str]
    missing: list[str]
    extra: list[str]


class LoadPage(msgspec.Struct, kw_only=True):
    """``GET /v1/loads``, those told of last first."""

    loads: list[LoadState]
    complete_until: str | None = None
    behind: list[Untold] = []


class OnLoad(msgspec.Struct, kw_only=True):
    """Something on a load, and the scan that put it there.

    ``inside`` is what it is in on the load, nearest first. ``expected``: it should
    leave on this load.
    """

    item: str
    title: str | None
    inside: list[str]
    expected: bool
    event: str
    action: str
    scanned_at: str
    operator: str | None
    location: str | None
    station: str


class NotOnLoad(msgspec.Struct, kw_only=True):
    """Something that should be on a load and is not, and where it was seen last."""

    item: str
    title: str | None
    status: str | None
    location: str | None
    location_since: str | None
    location_event: str | None


class Departure(msgspec.Struct, kw_only=True):
    """A scan by which a load left. ``operator`` is whose badge it has, if any."""

    load: str
    name: str
    event: str
    departed_at: str
    received_at: str
    operator: str | None
    location: str | None
    station: str


class LoadManifest(msgspec.Struct, kw_only=True):
    """``GET /v1/loads/{load}``: what is on it, and what should be.

    Where it has left, ``departed`` is by which scan, and all else is as of then.
    ``departures`` are all of them, the last one last. ``whole``: all that is on it was
    looked at; of more than 5,000 only those put there last are.
    """

    load: str
    name: str
    known: bool
    departed: Departure | None
    departures: list[Departure]
    on_board: list[OnLoad]
    missing: list[NotOnLoad]
    whole: bool
    at: str
    known_at: str
    complete_until: str | None = None
    behind: list[Untold] = []


class DeparturePage(msgspec.Struct, kw_only=True):
    """``GET /v1/departures``: by which scans loads left, newest first."""

    departures: list[Departure]
    cursor: str | None = None
    complete_until: str | None = None
    behind: list[Untold] = []


class RowError(msgspec.Struct, kw_only=True, frozen=True):
    """What is wrong with a row of a table; the head of a CSV file is row 1."""

    row: int
    text: str


class ImportChange(msgspec.Struct, kw_only=True, frozen=True):
    """What a row changes: what was said of its key before, if anything, and now."""

    row: int
    key: str
    before: dict[str, str] | None
    after: dict[str, str]


class Contradiction(msgspec.Struct, kw_only=True, frozen=True):
    """A row that claims another status than the scans show.

    ``as_of`` is when the other system last changed it, as it writes that; ``since`` is
    when the scans first showed what they show, and ``event`` the latest that does.
    """

    row: int
    item: str
    claimed: str
    as_of: str | None
    scanned: str
    since: str
    event: str
    location: str | None


class ImportReport(msgspec.Struct, kw_only=True):
    """``POST /v1/import/{kind}``: what a table changed, or would change.

    Of ``changes``, ``errors``, ``contradictions`` and ``warnings`` the first are
    listed; ``new`` and ``changed``, ``wrong``, ``contradicted`` and ``warned`` count
    all. A warning is of a row with a key that no label reads as.
    """

    kind: str
    dry_run: bool
    rows: int
    new: int
    changed: int
    same: int
    wrong: int
    contradicted: int
    changes: list[ImportChange]
    errors: list[RowError]
    contradictions: list[Contradiction]
    warned: int = 0
    warnings: list[RowError] = []


class Was(msgspec.Struct, kw_only=True):
    """A part of an answer before and after a step."""

    before: Any
    after: Any


class ItemChange(msgspec.Struct, kw_only=True):
    """A step that changed the answer.

    ``learned``: the event became known at ``moment``; else it happened then. ``event``
    is ``None`` where only time passed, and something fell due.
    """

    moment: str
    learned: bool
    event: str | None
    voids: str | None
    action: str | None
    location: str | None
    operator: str | None
    reason: str | None
    fields: dict[str, Was]


class ItemChanges(msgspec.Struct, kw_only=True):
    """``GET /v1/items/{item}/changes``: what changed our mind between two views."""

    item: str
    at: str
    known_at: str
    until_at: str
    until_known_at: str
    changes: list[ItemChange]
    complete_until: str | None = None
    behind: list[Untold] = []
