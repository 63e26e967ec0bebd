"""A person at a station, for tests: scans codes, and keeps what became of them."""

import msgspec

from edge.feedback import Feedback
from edge.scanners import Read
from edge.texts import read_texts
from edge.workflow import (
    NOTHING,
    Facts,
    Rules,
    State,
    Step,
    Told,
    recorded,
    resting,
    step,
)
from shared.keys import parse
from shared.lines import Line
from shared.moments import SECOND
from shared.protocol import ClockReading
from shared.reference import (
    KnownLoad,
    KnownLocation,
    KnownOperator,
    Reference,
    WantedItem,
)

ENGLISH = read_texts("en")
LOG = "11111111-2222-4333-8444-555555555555"


def read_of(
    raw: str | bytes, mono: int = 0, device: str = "gun", *, damaged: bool = False
) -> Read:
    data = raw if isinstance(raw, bytes) else raw.encode("latin-1")
    clock = ClockReading(
        at=1_777_000_000 * SECOND + mono, boot="boot-1", mono=mono, synced=True
    )
    return Read(raw=data, device=device, clock=clock, damaged=damaged)


class Picker:
    """Scans one code every ten seconds, unless told otherwise."""

    def __init__(self, rules: Rules | None = None, facts: Facts = NOTHING) -> None:
        self.rules = rules or Rules()
        self.facts = facts
        self.state: State = resting(self.rules)
        self.mono = 0
        self.lines: list[Line] = []
        self.told: list[Feedback] = []

    def scan(
        self,
        raw: str | bytes,
        after: float = 10.0,
        device: str = "gun",
        *,
        damaged: bool = False,
    ) -> Feedback:
        self.mono += round(after * SECOND)
        read = read_of(raw, self.mono, device, damaged=damaged)
        key = parse(read.raw.decode("latin-1"))
        made: Step = step(self.rules, self.state, key, read, self.facts)
        names: list[str] = []
        for draft in made.drafts:
            self.lines.append(msgspec.structs.replace(draft, seq=len(self.lines) + 1))
            names.append(f"{LOG}:{len(self.lines)}")
        self.state = recorded(made.state, tuple(names))
        if isinstance(self.facts, Told):
            self.facts.learn(names, made.drafts)
        self.told.append(made.feedback)
        return made.feedback

    def scans(self, *codes: str, after: float = 10.0) -> Feedback:
        return [self.scan(code, after) for code in codes][-1]

    @property
    def last(self) -> Line:
        return self.lines[-1]

    def story(self) -> list[tuple[str | None, ...]]:
        """What was recorded of items: action, item, location, container, refused."""
        return [
            (line.action, line.item, line.location, line.container)
            for line in self.lines
            if line.action not in ("note", "void") and line.refused is None
        ]


def told_station() -> Told:
    """What a station knows in these tests, from the server and from itself."""
    told = Told()
    told.update(
        Reference(
            locations=(
                KnownLocation(location="A-01", kind="shelf"),
                KnownLocation(location="COLD-1", kind="cold store"),
            ),
            operators=(
                KnownOperator(operator="B-ANA"),
                KnownOperator(operator="B-BEN"),
                KnownOperator(operator="B-CAS"),
            ),
            loads=(KnownLoad(load="M-3", items=("P-1", "P-2")), KnownLoad(load="M-4")),
            wanted=(WantedItem(item="P-W"),),
            gone=("P-G",),
        )
    )
    packed = [_packed(item) for item in ("P-1", "P-2", "P-3")]
    told.learn([f"{LOG}:9{number}" for number in range(3)], packed)
    return told


def _packed(item: str) -> Line:
    return Line(seq=1, at="", action="pack", item=item, container="C-T9")
