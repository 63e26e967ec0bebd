"""What a person is told: values, and no words.

The workflow says *what* happened, never how it reads. A display looks the words up in
``edge.texts``; another language is another file there, and nothing else.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from edge.scanners import Tone

__all__ = [
    "Alarm",
    "Caption",
    "Expect",
    "Feedback",
    "Notice",
    "Says",
    "Tone",
    "Word",
]


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
    GIVER = "giver"
    """The badge of the person who hands over."""
    REASON = "reason"
    """Why a handoff is closed although something is missing: a code of the sheet."""
    DONE = "done"
    """Nothing more: X-DONE closes what is complete."""
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
    NOT_OURS = "not_ours"
    NO_SUCH_COMMAND = "no_such_command"
    NO_BADGE = "no_badge"
    WRONG_KIND = "wrong_kind"
    NOT_A_PACKAGE = "not_a_package"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_WHY = "unknown_why"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    DAMAGED = "damaged"
    UNKNOWN_LOCATION = "unknown_location"
    UNKNOWN_OPERATOR = "unknown_operator"
    NOT_ON_MANIFEST = "not_on_manifest"
    NOT_EXPECTED = "not_expected"
    ALREADY_SHIPPED = "already_shipped"
    WRONG_PLACE = "wrong_place"
    LIST_OPENED = "list_opened"
    LIST_UNKNOWN = "list_unknown"
    LIST_ITEM = "list_item"
    LIST_COMPLETE = "list_complete"
    LIST_OPEN = "list_open"
    LIST_DONE = "list_done"
    LIST_WHOLE = "list_whole"
    LIST_SHORT = "list_short"
    LIST_CLOSED_SHORT = "list_closed_short"
    LIST_DROPPED = "list_dropped"
    NO_SHORT_LIST = "no_short_list"
    GIVER = "giver"
    NO_GIVER = "no_giver"
    NOBODY_GIVES = "nobody_gives"
    INCOMPLETE_LOAD = "incomplete_load"
    ASKED_INCOMPLETE = "asked_incomplete"
    WANTED = "wanted"
    """What stands before the sentence of an item that somebody looks for."""
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


class Notice(Enum):
    """What a station says by itself, between two scans."""

    SERVER_AWAY = "server_away"
    SERVER_BACK = "server_back"
    SERVER_BACK_SENDING = "server_back_sending"
    ALARM_OVER = "alarm_over"
    SCANNER_PROBLEM = "scanner_problem"
    SCANNER_BACK = "scanner_back"
    STORAGE = "storage"
    STORAGE_FINE = "storage_fine"
    NOT_JOINED = "not_joined"
    CLOCK_RIGHT = "clock_right"
    CLOCK_WRONG = "clock_wrong"
    SLEPT = "slept"
    SLEPT_UNTOLD = "slept_untold"
    BATTERY_LOW = "battery_low"
    PART_FAILED = "part_failed"
    LEFT_UNSAVED = "left_unsaved"
    SETTINGS_NEW = "settings_new"
    SCREEN_AT = "screen_at"
    SCREEN_AWAY = "screen_away"


class Alarm(Enum):
    """What a person has to look into between the station and its server."""

    REWOUND = "rewound"
    """The server has less than it once said; over once it has everything again."""
    LEFT = "left"
    """The log went on somewhere else, too, and another was begun."""
    DISOWNED = "disowned"
    """The server does not take what is left of an older log."""


class Caption(Enum):
    """The fixed words of a screen."""

    MODE = "mode"
    PLACE = "place"
    BADGE = "badge"
    TAKES = "takes"
    GIVES = "gives"
    NEXT = "next"
    NOBODY = "nobody"
    NOWHERE = "nowhere"
    NOT_ENDED = "not_ended"
    LAST_SCANS = "last_scans"
    UNDO = "undo"
    FINISH = "finish"
    UNDONE = "undone"
    WAITING = "waiting"
    NONE_WAITING = "none_waiting"
    UNSAVED = "unsaved"
    SERVER = "server"
    SCANNER = "scanner"
    SCANNER_READY = "scanner_ready"
    SCANNER_MISSING = "scanner_missing"
    NO_SCANNER = "no_scanner"
    CLOCK = "clock"
    CLOCK_RIGHT = "clock_right"
    CLOCK_WRONG = "clock_wrong"
    BATTERY = "battery"
    DATA = "data"
    AGE = "age"
    NO_DATA = "no_data"
    EXPECTED = "expected"
    SCANNED = "scanned"
    MISSING = "missing"
    FOREIGN = "foreign"
    REPEATED = "repeated"
    UNKNOWN_CONTENTS = "unknown_contents"
    STARTING = "starting"
