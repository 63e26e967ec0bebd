"""What a station and the server say to each other: headers, joining, lines, problems.

Contract, section 3. Both ends read and write these types and no others.
"""

from typing import Annotated

import msgspec

from shared.errors import ProtocolError
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
    "Enrol",
    "Enrolled",
    "LogState",
    "NextTaken",
    "NextToken",
    "Outcomes",
    "Problem",
    "ProblemType",
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
    ARCHIVE = "urn:scantrail:problem:archive"
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
