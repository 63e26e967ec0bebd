"""What may follow from an answer of the server, as values. Contract, section 3.3."""

from enum import Enum

import msgspec

__all__ = [
    "Acked",
    "Decision",
    "Disowned",
    "Diverged",
    "Halve",
    "Rewind",
    "Search",
    "SendRaw",
    "State",
    "Unknown",
    "Wait",
]


class State(Enum):
    """How the station and its server stand, in the words of the screen."""

    NOT_JOINED = "not joined to a server"
    UP_TO_DATE = "the server has everything"
    SENDING = "sending"
    UNREACHABLE = "the server cannot be reached"
    BUSY = "the server is busy"
    REFUSED = "the server refuses this station"
    DISPLACED = "another machine has this station's name now"
    NOT_OURS = "something other than our server answers"
    TROUBLE = "the server cannot take what is sent"
    STORAGE = "this station cannot write to its disk"


class Unknown(Enum):
    """Why the server does not know a token, where that is the trouble."""

    NO = "it knows it"
    NEVER = "it does not know it (any more)"
    REPLACED = "another was used since"


class Acked(msgspec.Struct, frozen=True, kw_only=True):
    """The server has the log up to ``acked``, byte for byte."""

    acked: int
    backed_up: int
    epoch: str
    reference: str
    token_due: bool = False


class Rewind(msgspec.Struct, frozen=True, kw_only=True):
    """The server has less than it once said; send again from there."""

    acked: int


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Where two chains part: both have line ``low``, and the last may be ``high``.

    Bisection: heads make it certain that chains agree up to where they agree.
    """

    low: int
    high: int

    @property
    def done(self) -> bool:
        """Whether it is ``low``."""
        return self.low >= self.high

    @property
    def middle(self) -> int:
        """The line to ask about next."""
        return (self.low + self.high + 1) // 2

    def told(self, *, same: bool) -> "Search":
        """Return what remains once it is known whether both have ``middle``."""
        if same:
            return Search(low=self.middle, high=self.high)
        return Search(low=self.low, high=self.middle - 1)


class Diverged(msgspec.Struct, frozen=True, kw_only=True):
    """The log went on somewhere else, too: begin a new one after the common lines."""

    search: Search
    problem: str


class Disowned(msgspec.Struct, frozen=True, kw_only=True):
    """The server does not take this log, which was left, from this station."""

    problem: str


class Halve(msgspec.Struct, frozen=True, kw_only=True):
    """Send half as many lines. ``poison``: one of them may be what is wrong."""

    problem: str
    poison: bool = False


class SendRaw(msgspec.Struct, frozen=True, kw_only=True):
    """Send the one line as opaque bytes."""

    problem: str


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Try again later: in ``seconds`` at the earliest, where the server said so.

    ``suspect``: what was sent may be what the server stumbles over. ``unknown``: what
    the matter is with this station's token.
    """

    state: State
    problem: str
    seconds: float | None = None
    timed_out: bool = False
    suspect: bool = False
    unknown: Unknown = Unknown.NO


Decision = Acked | Rewind | Diverged | Disowned | Halve | SendRaw | Wait
