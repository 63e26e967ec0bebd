"""Screens as a station makes them, one for each thing that can be on them."""

from edge.decisions import State as Link
from edge.feedback import Expect, Feedback, Says, Tone, Word
from edge.health import Report, ScannerReport
from edge.screen import (
    NOTHING_YET,
    Listing,
    Memory,
    PackingView,
    Screen,
    Standing,
    Touch,
    remember,
    screen,
)
from edge.sync import SyncStatus
from edge.texts import read_texts
from edge.workflow import Rules, State, resting
from edge.workflow.state import Frame, Scene

NOON = 1_772_359_200_000_000  # 2026-03-01T10:00:00Z
RULES = Rules(location="DOCK-1")

WORDS = {
    Word.SAVED: Tone.GOOD,
    Word.WAITING: Tone.GOOD,
    Word.REPEAT: Tone.ATTENTION,
    Word.UNKNOWN: Tone.ERROR,
    Word.REFUSED: Tone.ERROR,
    Word.WRONG_PLACE: Tone.ERROR,
    Word.DAMAGED: Tone.ERROR,
    Word.NOT_SAVED: Tone.ERROR,
    Word.WANTED: Tone.WANTED,
}

_SAYS = {
    Word.REPEAT: Says.AGAIN,
    Word.UNKNOWN: Says.UNKNOWN_CODE,
    Word.REFUSED: Says.WRONG_KIND,
    Word.WRONG_PLACE: Says.WRONG_PLACE,
    Word.DAMAGED: Says.DAMAGED,
    Word.NOT_SAVED: Says.NOT_SAVED,
}


def feedback(word: Word = Word.SAVED, code: str = "P-4711", **names: str) -> Feedback:
    given = {"action": "store", "item": code, "location": "A-02-03", "code": code}
    return Feedback(
        tone=WORDS[word],
        word=word,
        code=code,
        says=_SAYS.get(word, Says.DONE),
        names={**given, "reason": "the disk is full", **names},
        mode="store",
        expects=Expect.ITEM,
    )


def state(*codes: str, operator: str | None = "B-ANA") -> State:
    scene = Scene(mode="store", location="A-02-03")
    frames = tuple(
        Frame(code=code, before=scene, mono=0, events=(f"log:{number}",))
        for number, code in enumerate(codes, 1)
    )
    return State(scene=scene, operator=operator, history=frames)


def memory(*words: Word, language: str = "en") -> Memory:
    """Return what is remembered of scans that became these words, oldest first."""
    texts, kept = read_texts(language), NOTHING_YET
    codes: list[str] = []
    for number, word in enumerate(words, 1):
        codes.append(f"P-47{number:02}")
        at = NOON + number * 7_300_000
        told = feedback(word, codes[-1])
        kept = remember(kept, told, state(*codes), at, texts)
    return kept


def shown(
    kept: Memory,
    *,
    language: str = "en",
    sync: SyncStatus | None = None,
    report: Report | None = None,
    packing: PackingView | None = None,
    undoable: bool = True,
    at_rest: bool = False,
) -> Screen:
    codes = [kept.latest.code] if undoable and kept.latest else []
    standing = Standing(
        station="DOCK-1",
        rules=RULES,
        state=resting(RULES) if at_rest else state(*codes),
        sync=sync or SyncStatus(state=Link.UP_TO_DATE),
        report=report or well(),
    )
    return screen(kept, standing, read_texts(language), packing)


def well(**fields: object) -> Report:
    values = {
        "pid": 1,
        "boot": "b",
        "mono": 1,
        "clock_synced": True,
        "state": Link.UP_TO_DATE,
        "scanners": (ScannerReport(device="left-hand", connected=True),),
        **fields,
    }
    return Report(**values)  # type: ignore[arg-type]


OFFLINE = SyncStatus(state=Link.UNREACHABLE, waiting=12)

REASONS = (
    Touch(code="X-BROKEN", label="damaged"),
    Touch(code="X-LATER", label="comes later"),
    Touch(code="X-SHORT", label="not there"),
)
PACKING = PackingView(
    container="C-0815",
    hands_over=True,
    giver="B-BEN",
    receiver="B-ANA",
    expected=9,
    scanned=5,
    missing=Listing(
        count=4, items=("P-4706", "P-4707", "P-4708", "(00)340123450000000018")
    ),
    foreign=Listing(count=1, items=("P-9999",)),
    repeated=Listing(count=2, items=("P-4701", "P-4702")),
    close=REASONS,
)
MUCH = PackingView(
    container="M-1",
    expected=160,
    missing=Listing(
        count=160, items=tuple(f"(00)3401234500000{n:05}" for n in range(50))
    ),
    foreign=Listing(count=40, items=tuple(f"P-{n}" for n in range(40))),
    close=(Touch(code="X-DONE", label="Done"),),
)
