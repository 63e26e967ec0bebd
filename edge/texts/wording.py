"""A language as a value, and sentences made with it. Pure.

Values are put into sentences as they are: braces in a scanned code mean nothing here.
They come from outside, and a display has to clean them.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from edge.feedback import Alarm, Caption, Expect, Feedback, Notice, Says, Word

__all__ = ["VALUES", "Texts", "alarmed", "detail", "mode_name", "said"]

_CODES = ("item", "location", "container", "operator", "code", "undone", "other")
_FIGURES = ("number", "total", "reason", "kind", "missing", "command", "mode")
_MADE = (
    *("_location", "_container", "_operator", "_giver", "_warned", "_refused"),
    *("_total", "_missing", "_age", "_wanted", "_wants"),
    *("_done", "_next", "_why", "_fault"),
)
VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "says": frozenset((*_CODES, *_FIGURES, *_MADE)),
        "parts": frozenset({""}),
        "faults": frozenset({""}),
        "notices": frozenset(
            {"state", "problem", "device", "number", "span", "age", "address"}
        ),
        "alarms": frozenset({"problem", "log", "new", "number", "first", "last"}),
        "captions": frozenset({"number", "age"}),
    }
)
"""The values that the templates of a table can speak of; other tables have none."""


class Texts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A language.

    Attributes:
        name: The language's own name for itself.
        words: The one large word of a scan.
        expects: What the station expects next, as it stands behind "next:".
        says: The sentence below the word: a template over the names of a feedback.
        faults: Why a label is no key: ``{_fault}``; ``{}`` is what it is about.
        parts: What is put into a sentence where a name has a value: ``{_location}``.
        done: What an action has done to an item. A site adds its own actions.
        modes: What a mode is called. A site adds its own modes.
        reasons: Why a list is closed although something is missing.
        states: How the station and its server stand.
        notices: What the station says by itself.
        alarms: What a person has to look into, between the station and its server.
        captions: The fixed words of a screen.
        page: Those that only the station's page has.
    """

    name: str
    words: dict[Word, str]
    expects: dict[Expect, str]
    says: dict[Says, str]
    faults: dict[str, str]
    parts: dict[str, str]
    done: dict[str, str]
    modes: dict[str, str]
    reasons: dict[str, str]
    states: dict[str, str]
    notices: dict[Notice, str]
    alarms: dict[Alarm, str]
    captions: dict[Caption, str]
    page: dict[str, str]


def mode_name(mode: str, texts: Texts) -> str:
    """Return what a mode is called, in capitals; a site's own by its own name."""
    return texts.modes.get(mode, mode).upper()


def detail(feedback: Feedback, texts: Texts) -> str:
    """Return the sentence of a feedback, uncleaned."""
    names = feedback.names
    parts = {
        f"_{name}": template.replace("{}", names[name]) if names.get(name) else ""
        for name, template in texts.parts.items()
    }
    action, why = names.get("action", ""), names.get("why", "")
    fault = texts.faults.get(names.get("fault", ""), "")
    made = {
        "_done": texts.done.get(action, action),
        "_next": texts.expects[feedback.expects],
        "_why": texts.reasons.get(why, why),
        "_fault": fault.replace("{}", names.get("about", "")),
        "mode": mode_name(feedback.mode, texts),
    }
    told = _Named({**names, **parts, **made})
    wanted = texts.says[Says.WANTED] if feedback.word is Word.WANTED else ""
    return wanted.format_map(told) + texts.says[feedback.says].format_map(told)


def alarmed(alarm: Alarm, names: Mapping[str, str], texts: Texts) -> str:
    """Return an alarm as a sentence."""
    return texts.alarms[alarm].format_map(_Named(names))


def said(notice: Notice, texts: Texts, **names: str) -> str:
    """Return a notice as a sentence."""
    return texts.notices[notice].format_map(_Named(names))


class _Named(dict[str, str]):
    """A name without a value reads as nothing, rather than ending a capture."""

    def __missing__(self, name: str) -> str:
        return ""
