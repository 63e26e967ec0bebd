"""The incident report as A4 pages of PDF, by reportlab, which an extra installs."""

from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, black, dimgrey, grey
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from server.console.clock import Clock
from server.console.report_words import Teller
from server.console.shown import shown
from server.console.words import Words
from shared.moments import SECOND

if TYPE_CHECKING:
    from server.console.reports import Report

__all__ = ["written"]

MARGIN = 16 * mm
WIDTH = A4[0] - 2 * MARGIN
MOST_STEPS = 400
"""Steps of the story, the newest."""
_FOLDER = Path("/usr/share/fonts/truetype/dejavu")
_FONTS = (
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("Vera.ttf", "VeraBd.ttf"),
)
"""Debian's, which have most letters, and those that come with reportlab."""
_NAMES = ("Scantrail", "Scantrail-Bold")


@cache
def _fonts() -> frozenset[int]:
    """Register the fonts, and return the characters that they have."""
    for files in _FONTS:
        try:
            for name, file in zip(_NAMES, files, strict=True):
                ours = _FOLDER / file
                path = str(ours) if ours.exists() else file
                pdfmetrics.registerFont(TTFont(name, path))
        except (TTFError, OSError):
            continue
        break
    pdfmetrics.registerFontFamily(_NAMES[0], normal=_NAMES[0], bold=_NAMES[1])
    face = pdfmetrics.getFont(_NAMES[0]).face  # type: ignore[attr-defined]
    return frozenset(face.charToGlyph)


def _style(
    name: str, size: float, *, before: float = 0, after: float = 0, color: Color = black
) -> ParagraphStyle:
    return ParagraphStyle(
        name,
        fontName=_NAMES[0],
        fontSize=size,
        leading=size * 1.35,
        spaceBefore=before,
        spaceAfter=after,
        textColor=color,
        wordWrap="CJK",  # codes have no blanks to break at
    )


_BODY = _style("body", 9.5)
_FAINT = _style("faint", 8.5, color=dimgrey)
_HEAD = _style("head", 12, before=8, after=3)
_TITLE = _style("title", 18, after=4)


def _plain(text: object, most: int = 300) -> str:
    """Return a text that the fonts have, as reportlab's markup takes it."""
    letters = _fonts()
    return escape(
        "".join(
            one if ord(one) in letters else f"\\u{{{ord(one):x}}}"
            for one in shown(str(text), most)
        )
    )


_RULED = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, grey),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
)


class _Writer:
    """Lays out what is told of one item."""

    def __init__(self, teller: Teller) -> None:
        self._tell, self.say, self.when = teller, teller.say, teller.when

    def body(self, text: object, *, bold: bool = False) -> Paragraph:
        """Return a paragraph."""
        plain = _plain(text, 1200)
        return Paragraph(f"<b>{plain}</b>" if bold else plain, _BODY)

    def section(self, name: str, *parts: Flowable) -> Iterator[Flowable]:
        """Return a section; its heading stays with what follows it."""
        yield CondPageBreak(30 * mm)
        yield Paragraph(_plain(self.say(name)), _HEAD)
        yield from parts

    def table(
        self, rows: Sequence[Sequence[object]], widths: Sequence[float], *, head: bool
    ) -> Table:
        """Return rows as a table; ``head``: the first names the columns."""
        cells = [
            [self.body(cell, bold=head and not index) for cell in row]
            for index, row in enumerate(rows)
        ]
        return Table(
            cells,
            colWidths=[WIDTH * part for part in widths],
            repeatRows=1 if head else 0,
            style=_RULED,
        )

    # --- the parts of a report --------------------------------------------------------

    def parts(self, report: "Report") -> Iterator[Flowable]:
        """Return all of it."""
        view, answer = report.view, report.view.answer
        yield Paragraph(_plain(self.say("report.title")), _TITLE)
        title = f" ({shown(report.name, 200)})" if report.name else ""
        yield self.body(f"{answer.item}{title}", bold=True)
        told = {"at": self.when(view.view.at), "known": self.when(view.view.known_at)}
        yield Paragraph(_plain(self.say("report.as_of", **told)), _FAINT)
        yield Spacer(0, 4)
        yield self.body(self._verdict(report), bold=True)
        yield from self.section(
            "report.then" if view.moved else "report.now", *self._now(report)
        )
        if view.moved and report.since.more:
            known_since = map(self.body, self._tell.since(report.since))
            yield from self.section("mind.title", *known_since)
        yield from self.section("report.first", *self._first(report))
        if report.ever:
            yield from self.section("report.ever", self._ever(report))
        yield from self.section("report.complete", *self._complete(report))
        yield from self.section("item.story", self._story(report))

    def _verdict(self, report: "Report") -> str:
        if report.verdict:
            return self._tell.verdict(report.verdict)
        return self.say("report.nothing" if report.judged else "verdict.unjudged")

    def _now(self, report: "Report") -> Iterator[Flowable]:
        yield from map(self.body, self._tell.place(report.view))
        yield Spacer(0, 4)
        for line in self._tell.untold(report.view):
            yield Paragraph(_plain(line), _FAINT)

    def _first(self, report: "Report") -> Iterator[Flowable]:
        found, named = report.found, self._tell.named
        if found is None:
            yield self.body(self._verdict(report))
            return
        code = named("code", found.first.code)
        first = (code, self.when(found.first.since), self._tell.said_by(found.step))
        yield self.body(", ".join(filter(None, first)), bold=True)
        yield self.body(self._tell.sentence(found.first.code, found.first.text))
        rows = [("report.shift", self.say(f"shift.{report.shift}"))]
        if found.step is not None:
            at = (found.step.line.location, found.step.station, found.step.who)
            where = " · ".join(filter(None, at))
            step = f"{named('action', found.step.line.action)} · {found.step.event}"
            rows = [("report.step", step), ("report.where", where), *rows]
        if found.before is not None:
            line = found.before.line
            when = self.when(found.before.occurred)
            before = f"{named('action', line.action)} · {line.location} · {when}"
            rows.append(("report.before", before))
        rows.append(("report.caught", named("caught", found.first.code)))
        yield Spacer(0, 4)
        yield self.table(
            [(self.say(name), text) for name, text in rows], (0.28, 0.72), head=False
        )

    def _ever(self, report: "Report") -> Flowable:
        head = ("find.since", "exceptions.kind", "report.text")
        rows = [
            (
                self.when(one.since),
                self._tell.named("code", one.code),
                self._tell.sentence(one.code, one.text),
            )
            for one in report.ever
        ]
        return self.table(
            [tuple(map(self.say, head)), *rows], (0.23, 0.25, 0.52), head=True
        )

    def _complete(self, report: "Report") -> Iterator[Flowable]:
        complete, behind = report.complete, report.view.answer.behind
        names = ("events", "late", "voided", "vague", "damaged")
        cells = [
            (self.say(f"report.{name}"), str(getattr(complete, name))) for name in names
        ]
        cells.append((self.say("report.untold"), str(len(behind))))
        rows = [
            (*one, *other) for one, other in zip(cells[::2], cells[1::2], strict=True)
        ]
        yield self.table(rows, (0.38, 0.12, 0.38, 0.12), head=False)
        yield Spacer(0, 4)
        yield self.body(self.say("report.witnesses"), bold=True)
        yield self.body(self._tell.witnesses(report.view))
        if report.view.witnesses:
            yield self._witnesses(report)
        yield Spacer(0, 4)
        yield Paragraph(_plain(self.say("report.complete_how")), _FAINT)

    def _witnesses(self, report: "Report") -> Flowable:
        head = ("stations.station", "report.why", "stations.horizon")
        rows = [self._tell.witness(one) for one in report.view.witnesses]
        return self.table(
            [tuple(map(self.say, head)), *rows], (0.25, 0.4, 0.35), head=True
        )

    def _story(self, report: "Report") -> Flowable:
        story = report.view.story[:MOST_STEPS]
        rows = [self._tell.step(one) for one in story]
        return (
            self.table(rows, (0.23, 0.77), head=False)
            if rows
            else self.body(self.say("item.no_story"))
        )


def written(report: "Report", words: Words, clock: Clock, now: int) -> bytes:
    """Write a report.

    Args:
        report: What it says.
        words: The language.
        clock: The site's zone.
        now: When it was made.
    """
    _fonts()
    view, file = report.view, BytesIO()
    writer = _Writer(Teller(words, clock, view.view.at, past=view.moved))
    foot = " · ".join(
        (
            _visible(report.view.answer.item),
            writer.when(now // SECOND * SECOND),
            clock.zone(now),
        )
    )

    def footed(canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.setFont(_NAMES[0], 7.5)
        canvas.drawString(MARGIN, MARGIN / 2, foot)
        canvas.drawRightString(A4[0] - MARGIN, MARGIN / 2, str(document.page))

    document = BaseDocTemplate(
        file,
        pagesize=A4,
        title=writer.say("report.title"),
        subject=_visible(report.view.answer.item),
        creator="Scantrail",
        invariant=1,
    )
    frame = Frame(MARGIN, MARGIN, WIDTH, A4[1] - 2 * MARGIN, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=footed))
    document.build(list(writer.parts(report)))
    return file.getvalue()


def _visible(text: str) -> str:
    letters = _fonts()
    return "".join(one if ord(one) in letters else "?" for one in shown(text, 60))
