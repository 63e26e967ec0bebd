"""Problems: what went wrong, as an RFC 9457 document for the one who asked."""

import msgspec

from shared.errors import ScantrailError
from shared.moments import to_text
from shared.protocol import Problem, ProblemType

__all__ = ["ProblemError", "fork", "gap", "invalid", "not_found", "taken", "too_large"]

TITLES = {
    ProblemType.GAP: "The server has fewer lines of this log than you count on",
    ProblemType.FORK: "The server has other lines at this place of the log",
    ProblemType.CODE: "This code cannot be used",
    ProblemType.LOG: "This log belongs to another station",
    ProblemType.TOO_LARGE: "The request is too large",
    ProblemType.FRAMING: "The lines are not as their headers say",
    ProblemType.SIGNATURE: "The signature is not this station's",
    ProblemType.UNAUTHORISED: "Nobody is known by this key or token",
    ProblemType.FORBIDDEN: "Whoever asks may not do that",
    ProblemType.REVOKED: "This station has been revoked",
    ProblemType.REPLACED: "This token has been replaced by another",
    ProblemType.DISPLACED: "Another machine joined under this station's name",
    ProblemType.TAKEN: "A station has this name already",
    ProblemType.PROVE: "Show first that it is you",
    ProblemType.SECOND: "A second factor is needed",
    ProblemType.INVALID: "The request cannot be understood",
    ProblemType.NOT_FOUND: "There is no such thing here",
    ProblemType.STORAGE: "The server cannot store anything now",
    ProblemType.ARCHIVE: "Archived lines cannot be read now",
    ProblemType.BUSY: "The server is busy",
    ProblemType.INTERNAL: "Something is wrong in the server",
}


class ProblemError(ScantrailError):
    """A request that is answered with a problem.

    Args:
        status: The HTTP status.
        kind: One of `shared.protocol.ProblemType`.
        detail: What happened, to what, and what to do.
        acked: Where a log is concerned: the last line that is durable here.
        head: Its head, in hex.
        retry_after: Seconds to wait, where the same request may succeed later.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        acked: int | None = None,
        head: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.allow: str | None = None
        self.problem = Problem(
            type=kind,
            title=TITLES[kind],
            status=status,
            detail=detail,
            acked=acked,
            head=head,
        )

    def saying(self, more: str) -> "ProblemError":
        """Return the same, with more said of it: others may be told this one, too."""
        found = ProblemError(self.problem.status, self.problem.type, "")
        found.problem = msgspec.structs.replace(
            self.problem, detail=self.problem.detail + more
        )
        found.retry_after, found.allow = self.retry_after, self.allow
        return found


def invalid(detail: str) -> ProblemError:
    """A request whose parameters or body make no sense."""
    return ProblemError(400, ProblemType.INVALID, detail)


def framing(detail: str) -> ProblemError:
    """A body that is not what its headers say; nothing of it was stored."""
    return ProblemError(422, ProblemType.FRAMING, detail)


def too_large(detail: str) -> ProblemError:
    """A body over a limit; nothing of it was stored."""
    return ProblemError(413, ProblemType.TOO_LARGE, detail)


def not_found(detail: str) -> ProblemError:
    """Something that was named does not exist."""
    return ProblemError(404, ProblemType.NOT_FOUND, detail)


def taken(name: str, host: str, heard: int | None) -> ProblemError:
    """A station's name that another machine has."""
    on = f" on the machine {host}" if host else ""
    when = f", heard last at {to_text(heard)}" if heard is not None else ""
    detail = (
        f"There is a station {name} already{on}{when}. Ask for a code under another "
        "name or, where this machine is to take its place, for one that replaces it."
    )
    return ProblemError(409, ProblemType.TAKEN, detail)


def gap(after: int, acked: int, head: bytes) -> ProblemError:
    """The station skipped lines, or the server was restored from a backup."""
    detail = f"The request starts after line {after}; the server has {acked}."
    return ProblemError(409, ProblemType.GAP, detail, acked=acked, head=head.hex())


def fork(seq: int, acked: int, head: bytes) -> ProblemError:
    """Two stations wrote the same log, or an old outbox was put back."""
    detail = (
        f"Up to line {seq} this log has other bytes here. "
        "Start a new log and record there what the server lacks."
    )
    return ProblemError(409, ProblemType.FORK, detail, acked=acked, head=head.hex())
