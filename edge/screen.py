"""What a station's screen shows at one moment, as one value. Pure.

``remember`` folds what became of each scan into a `Memory`; ``screen`` puts beside it
how the station stands. All text in a `Screen` is ready to be shown: in the station's
language, and cleaned of whatever a label could do to a display (contract, I8).
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from edge.decisions import State as Link
from edge.feedback import Caption, Feedback, Says, Tone, Word
from edge.health import Report, ScannerReport
from edge.sync import SyncStatus
from edge.terminal_display import clean
from edge.texts import Texts, alarmed, detail, mode_name
from edge.workflow import Rules, State, expects
from shared.moments import span, to_text

__all__ = [
    "NOTHING_YET",
    "RECENT",
    "Light",
    "Listing",
    "Memory",
    "PackingView",
    "Screen",
    "Standing",
    "Told",
    "Touch",
    "remember",
    "screen",
]

RECENT = 10
"""Scans that the screen lists, newest first."""
_LONGEST_CODE = 64
_LONGEST_TEXT = 400
_LONGEST_LABEL = 24
_LOW_BATTERY = 20  # per cent
_OLD = 3600  # seconds from which the age of what the server told is shown

_replace = msgspec.structs.replace


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one scan.

    ``number`` counts the scans since the station started; a screen that has heard a
    lower one makes its sound. ``at`` is RFC 3339 in UTC. ``word`` is for programs,
    ``title`` the same for people. ``event`` names the line, where undo can reach it.
    """

    number: int
    at: str
    code: str
    tone: Tone
    word: Word
    title: str
    text: str
    event: str | None = None
    undone: bool = False


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """The scans so far. ``top`` is the event that undo would take back next."""

    count: int = 0
    latest: Told | None = None
    recent: tuple[Told, ...] = ()
    top: str | None = None


NOTHING_YET = Memory()
"""What a station remembers when it starts."""


class Light(msgspec.Struct, frozen=True, kw_only=True):
    """How one part does, in words. ``tone`` is None while all is as it should be."""

    part: str
    name: str
    text: str
    tone: Tone | None = None


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """A command that can be given by touch: the same as scanning ``code``."""

    code: str
    label: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the items of a list by name, and how many there are."""

    count: int = 0
    items: tuple[str, ...] = ()


class PackingView(msgspec.Struct, frozen=True, kw_only=True):
    """The packing table, or a load: what should be there, against what was scanned.

    ``container`` is empty while no list is open, and ``expected`` is None where it is
    not known here what should be there. ``giver`` and ``receiver`` are badges; things
    are handed over at a table, and not at a load. ``close`` is how the list can be
    closed now: as it is, or with one of the reasons while something is missing.
    """

    container: str = ""
    hands_over: bool = False
    giver: str = ""
    receiver: str = ""
    expected: int | None = None
    scanned: int = 0
    missing: Listing = Listing()
    foreign: Listing = Listing()
    repeated: Listing = Listing()
    close: tuple[Touch, ...] = ()


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """All that a screen shows. ``number`` is the latest scan's; a touch names it.

    ``expects`` is for programs, ``next`` the same for people. ``badge`` is empty where
    nobody is badged in; ``place`` and ``container`` where there is none.
    """

    number: int
    latest: Told
    recent: tuple[Told, ...]
    station: str
    mode: str
    place: str
    container: str
    badge: str
    expects: str
    next: str
    waiting: int
    waiting_text: str
    lights: tuple[Light, ...]
    undo: Touch | None
    packing: PackingView | None = None

    def offers(self, code: str, number: int) -> bool:
        """Whether a touch on this very screen may give that command."""
        touches = (self.undo, *(self.packing.close if self.packing else ()))
        return number == self.number and any(t and t.code == code for t in touches)


class Standing(NamedTuple):
    """How the station stands: its name, its workflow, its parts."""

    station: str
    rules: Rules
    state: State
    sync: SyncStatus
    report: Report | None


def remember(
    memory: Memory, feedback: Feedback, state: State, at: int, texts: Texts
) -> Memory:
    """Return the memory after a scan.

    Args:
        memory: What there was before.
        feedback: What became of the scan, or of the station by itself.
        state: The workflow after it.
        at: Now, in microseconds since 1970.
        texts: The language.
    """
    scanned = feedback.word is not Word.READY
    count = memory.count + scanned
    top = state.history[-1].event if state.history else None
    told = Told(
        number=count,
        at=to_text(at),
        code=clean(feedback.code, _LONGEST_CODE),
        tone=feedback.tone,
        word=feedback.word,
        title=texts.words[feedback.word],
        text=_sentence(feedback, texts),
        event=top if top != memory.top and feedback.says is not Says.UNDONE else None,
    )
    recent = _without(memory) if feedback.says is Says.UNDONE else memory.recent
    if scanned:
        recent = (told, *recent)[:RECENT]
    return Memory(count=count, latest=told, recent=recent, top=top)


def _without(memory: Memory) -> tuple[Told, ...]:
    """Return the recent scans, the one that undo has just taken back marked."""
    taken = memory.top
    return tuple(
        _replace(told, undone=True) if taken and told.event == taken else told
        for told in memory.recent
    )


def _sentence(feedback: Feedback, texts: Texts) -> str:
    names = {
        name: clean(value, _LONGEST_TEXT if name == "reason" else _LONGEST_CODE)
        for name, value in feedback.names.items()
    }
    return detail(_replace(feedback, names=names), texts)


def screen(
    memory: Memory,
    standing: Standing,
    texts: Texts,
    packing: PackingView | None = None,
) -> Screen:
    """Return what is to be shown now."""
    rules, state, sync = standing.rules, standing.state, standing.sync
    next_, scene = expects(rules, state), state.scene
    return Screen(
        number=memory.count,
        latest=memory.latest or _ready(texts),
        recent=memory.recent,
        station=clean(standing.station),
        mode=clean(mode_name(scene.mode, texts)),
        place=clean(scene.location or rules.location or ""),
        container=clean(scene.container or ""),
        badge=clean(state.operator or ""),
        expects=next_.value,
        next=texts.expects[next_],
        waiting=sync.waiting,
        waiting_text=_waiting(sync.waiting, texts),
        lights=tuple(_lights(standing, texts)),
        undo=_undo(standing, texts),
        packing=packing,
    )


def _ready(texts: Texts) -> Told:
    """Return what is shown before the first scan."""
    return Told(
        number=0,
        at="",
        code="",
        tone=Tone.GOOD,
        word=Word.READY,
        title=texts.words[Word.READY],
        text="",
    )


def _waiting(number: int, texts: Texts) -> str:
    if not number:
        return texts.captions[Caption.NONE_WAITING]
    return _numbered(Caption.WAITING, number, texts)


def _numbered(caption: Caption, number: int, texts: Texts) -> str:
    return texts.captions[caption].replace("{number}", str(number))


def _undo(standing: Standing, texts: Texts) -> Touch | None:
    history = standing.state.history
    if not history or history[-1].event is None or not _allows(standing, "UNDO"):
        return None
    code = clean(history[-1].code, _LONGEST_LABEL)
    return Touch(code="X-UNDO", label=f"{texts.captions[Caption.UNDO]} {code}")


def _allows(standing: Standing, command: str) -> bool:
    allowed = standing.rules.commands
    return allowed is None or command in allowed


# How the parts do


def _lights(standing: Standing, texts: Texts) -> Iterable[Light]:
    report, sync = standing.report, standing.sync
    scanners = report.scanners if report else ()
    for scanner in scanners:
        yield _scanner(scanner, several=len(scanners) > 1, texts=texts)
    if report and not scanners:
        yield Light(
            part="scanner",
            name=texts.captions[Caption.SCANNER],
            text=texts.captions[Caption.NO_SCANNER],
            tone=Tone.ERROR,
        )
    fine = sync.state in {Link.UP_TO_DATE, Link.SENDING}
    yield Light(
        part="server",
        name=texts.captions[Caption.SERVER],
        text=texts.states[sync.state.name.lower()],
        tone=None if fine else Tone.ATTENTION,
    )
    right = report is None or report.clock_synced
    yield Light(
        part="clock",
        name=texts.captions[Caption.CLOCK],
        text=texts.captions[Caption.CLOCK_RIGHT if right else Caption.CLOCK_WRONG],
        tone=None if right else Tone.ATTENTION,
    )
    yield from _handheld(report, texts)
    if report and report.unsaved_problem:
        unsaved = _numbered(Caption.UNSAVED, report.unsaved, texts)
        problem = clean(report.unsaved_problem, _LONGEST_TEXT)
        yield Light(part="disk", name=problem, text=unsaved, tone=Tone.ERROR)
    if sync.alarm:
        told = alarmed(sync.alarm.kind, sync.alarm.names, texts)
        text = clean(told, _LONGEST_TEXT)
        yield Light(part="alarm", name="", text=text, tone=Tone.ATTENTION)


def _scanner(scanner: ScannerReport, *, several: bool, texts: Texts) -> Light:
    here, name = scanner.connected, texts.captions[Caption.SCANNER]
    caption = Caption.SCANNER_READY if here else Caption.SCANNER_MISSING
    return Light(
        part="scanner",
        name=f"{name} {clean(scanner.device, _LONGEST_LABEL)}" if several else name,
        text=texts.captions[caption],
        tone=None if here else Tone.ERROR,
    )


def _handheld(report: Report | None, texts: Texts) -> Iterable[Light]:
    """Yield the battery, and the age of what the server told where it is old."""
    if report is not None and report.battery is not None:
        battery = report.battery
        low = battery.percent <= _LOW_BATTERY and not battery.charging
        yield Light(
            part="battery",
            name=texts.captions[Caption.BATTERY],
            text=f"{battery.percent} %",
            tone=Tone.ATTENTION if low else None,
        )
    age = report.told_age if report is not None else None
    if age is not None and age >= _OLD:
        yield Light(
            part="data",
            name=texts.captions[Caption.DATA],
            text=texts.captions[Caption.AGE].replace("{age}", span(age)),
            tone=Tone.ATTENTION,
        )
