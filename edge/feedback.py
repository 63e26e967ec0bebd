"""What a person is told of a scan: values, and the English words for them.

The workflow says *what* happened, never how it reads. A display looks the words up in
a `Texts`; another language is another `Texts`, and nothing else.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import msgspec

from edge.scanners import Tone

__all__ = ["ENGLISH", "Expect", "Feedback", "Says", "Texts", "Tone", "Word", "detail"]


class Word(Enum):
    """The one large word: what became of the scan."""

    SAVED = "saved"
    """Durable on this station, and the server is being told."""
    WAITING = "waiting"
    """Durable on this station; the server is out of reach."""
    REPEAT = "repeat"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    """The station said no. The scan is kept, as a sighting or a note."""
    WRONG_PLACE = "wrong_place"
    DAMAGED = "damaged"
    WANTED = "wanted"
    NOT_SAVED = "not_saved"
    """It is not durable: nothing was confirmed."""
    READY = "ready"
    """Nothing was scanned: the station tells of itself."""


class Expect(Enum):
    """The one thing that the station expects next."""

    ITEM = "item"
    LOCATION = "location"
    CONTAINER = "container"
    LOAD = "load"
    BADGE = "badge"
    RESCAN = "rescan"


class Says(Enum):
    """The sentence below the word."""

    DONE = "done"
    NO_HOLDER = "no_holder"
    HELD = "held"
    HELD_AGAIN = "held_again"
    HELD_INSTEAD = "held_instead"
    AGAIN = "again"
    PLACE = "place"
    OPENED = "opened"
    BADGE_IN = "badge_in"
    BADGE_OUT = "badge_out"
    COUNT_DROPPED = "count_dropped"
    MODE = "mode"
    MODE_LEFT = "mode_left"
    UNDONE = "undone"
    COUNTED = "counted"
    COUNT_MADE = "count_made"
    COUNT_FULL = "count_full"
    COUNT_OPEN = "count_open"
    COUNT_TOO_LONG = "count_too_long"
    PLACE_FIRST = "place_first"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    RESTED = "rested"
    NOTHING_TO_UNDO = "nothing_to_undo"
    NOTHING_TO_FINISH = "nothing_to_finish"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    UNFINISHED = "unfinished"
    NOT_ALLOWED = "not_allowed"
    NO_SUCH_COMMAND = "no_such_command"
    NO_BADGE = "no_badge"
    WRONG_KIND = "wrong_kind"
    NOT_A_PACKAGE = "not_a_package"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_WHY = "unknown_why"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    DAMAGED = "damaged"
    OBJECTION = "objection"
    NOT_SAVED = "not_saved"
    NOT_KEPT = "not_kept"


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What one scan did, for a display and for the scanner.

    ``code`` is what was scanned, to be shown large: data from outside, which a display
    has to clean. ``names`` are the values that the sentence ``says`` speaks of, from
    outside likewise. ``mode`` and ``expects`` are the station's after the scan.
    """

    tone: Tone
    word: Word
    code: str
    says: Says
    names: Mapping[str, str] = {}
    mode: str
    expects: Expect


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """A language.

    ``says`` are templates over the names of a feedback; ``parts`` are what is put into
    them where a name has a value; ``done`` is what an action has done to an item.
    """

    words: Mapping[Word, str]
    expects: Mapping[Expect, str]
    says: Mapping[Says, str]
    parts: Mapping[str, str]
    done: Mapping[str, str]


def detail(feedback: Feedback, texts: "Texts | None" = None) -> str:
    """Return the sentence of a feedback, uncleaned.

    Values are put in as they are: braces in a scanned code mean nothing here.
    """
    texts = texts or ENGLISH
    names = feedback.names
    parts = {
        f"_{name}": template.replace("{}", names[name]) if names.get(name) else ""
        for name, template in texts.parts.items()
    }
    action = names.get("action", "")
    done = {"_done": texts.done.get(action, action)}
    next_ = {"_next": texts.expects[feedback.expects]}
    values = _Named({"mode": feedback.mode.upper(), **names, **parts, **done, **next_})
    return texts.says[feedback.says].format_map(values)


class _Named(dict[str, str]):
    """A name without a value reads as nothing, rather than ending a capture."""

    def __missing__(self, name: str) -> str:
        return ""


ENGLISH = Texts(
    words=MappingProxyType(
        {
            Word.SAVED: "SAVED",
            Word.WAITING: "SAVED, WAITING",
            Word.REPEAT: "REPEAT",
            Word.UNKNOWN: "UNKNOWN",
            Word.REFUSED: "REFUSED",
            Word.WRONG_PLACE: "WRONG PLACE",
            Word.DAMAGED: "DAMAGED",
            Word.WANTED: "WANTED!",
            Word.NOT_SAVED: "NOT SAVED",
            Word.READY: "READY",
        }
    ),
    expects=MappingProxyType(
        {
            Expect.ITEM: "item",
            Expect.LOCATION: "location",
            Expect.CONTAINER: "container",
            Expect.LOAD: "load",
            Expect.BADGE: "your badge",
            Expect.RESCAN: "the same label again",
        }
    ),
    says=MappingProxyType(
        {
            Says.DONE: "{item} {_done}{_location}{_container}{_operator}",
            Says.NO_HOLDER: "{item} {_done}{_location}, but nobody is badged in:"
            " no holder is recorded",
            Says.HELD: "{item} is noted; it still needs a {_next}",
            Says.HELD_AGAIN: "{item} was noted already; it still needs a {_next}",
            Says.HELD_INSTEAD: "{item} is noted and needs a {_next};"
            " {other} was left without one",
            Says.AGAIN: "{code} was recorded already; nothing changes",
            Says.PLACE: "you are at {location}",
            Says.OPENED: "{container} is open",
            Says.BADGE_IN: "{operator} is badged in",
            Says.BADGE_OUT: "{operator} is badged out",
            Says.COUNT_DROPPED: "{operator}: the count of {location} was not finished,"
            " and is dropped",
            Says.MODE: "now: {mode}",
            Says.MODE_LEFT: "now: {mode}; {other} was left without its place",
            Says.UNDONE: "undone: the scan of {undone}",
            Says.COUNTED: "{item} is number {number} of {location}",
            Says.COUNT_MADE: "{location} counted: {number} found",
            Says.COUNT_FULL: "{item} is recorded as seen, but the count of {location}"
            " has become too long; count smaller places",
            Says.COUNT_OPEN: "finish the count of {location} first:"
            " X-DONE, or X-CANCEL to drop it",
            Says.COUNT_TOO_LONG: "too many for one count: everything is recorded as"
            " seen, and no count was made; count smaller places",
            Says.PLACE_FIRST: "{item} is recorded as seen, but not counted:"
            " scan the location first",
            Says.CLOSED: "{container} is closed",
            Says.CANCELLED: "cancelled; what was saved stays saved",
            Says.RESTED: "nothing was scanned for a while; what was open is closed",
            Says.NOTHING_TO_UNDO: "there is nothing to undo",
            Says.NOTHING_TO_FINISH: "there is nothing to finish",
            Says.NOTHING_TO_CANCEL: "there is nothing to cancel",
            Says.UNFINISHED: "{item} still needs a {_next}; or scan X-CANCEL",
            Says.NOT_ALLOWED: "X-{command} is not allowed at this station",
            Says.NO_SUCH_COMMAND: "X-{command} is no command of this station",
            Says.NO_BADGE: "{item} is recorded as seen only:"
            " scan your badge, then {item} again",
            Says.WRONG_KIND: "{item} cannot be {_done}: it is recorded as seen only",
            Says.NOT_A_PACKAGE: "{reason}",
            Says.UNKNOWN_CODE: "this code is not known; it is kept as it was read",
            Says.UNKNOWN_WHY: "{reason} The code is kept as it was read",
            Says.TOO_LONG: "too long for a code: {number} characters; it is kept",
            Says.EMPTY: "an empty read: nothing was on the label",
            Says.DAMAGED: "characters were lost; what came is kept: scan it again",
            Says.OBJECTION: "{reason}",
            Says.NOT_SAVED: "{reason}: it is tried again by itself;"
            " until it says SAVED, scan again",
            Says.NOT_KEPT: "{reason}, and {number} scans are waiting:"
            " this one is not kept; scan it again later",
        }
    ),
    parts=MappingProxyType(
        {"location": " at {}", "container": " in {}", "operator": " by {}"}
    ),
    done=MappingProxyType(
        {
            "receive": "received",
            "store": "stored",
            "pick": "picked",
            "accept": "accepted",
            "pack": "packed",
            "unpack": "unpacked",
            "empty": "emptied",
            "stage": "staged",
            "load": "loaded",
            "depart": "departed",
            "arrive": "arrived",
            "unload": "unloaded",
            "return": "returned",
            "see": "seen",
            "count": "counted",
            "miss": "looked for, not found",
        }
    ),
)
"""English."""
