"""What an incident report says, as plain text: for paper, where nothing is a link."""

from collections.abc import Iterable, Iterator

from server.console.clock import Clock
from server.console.deeds import deed
from server.console.item_view import ItemView
from server.console.learnt import Belief, Learnt, Scan
from server.console.minds import Since
from server.console.shown import FEW, SILENT, shown
from server.console.spoken import spoken
from server.console.timeline import Gap, Step
from server.console.verdict import Part, told
from server.console.witnesses import Witness
from server.console.words import Words
from shared.moments import SECOND, span, to_moment

__all__ = ["Teller"]


class Teller:
    """Tells of an item in one language, in the words of its page.

    Args:
        words: The language.
        clock: The site's zone.
        now: From when ages are counted.
        past: It is told of a past moment.
    """

    def __init__(
        self, words: Words, clock: Clock, now: int, *, past: bool = False
    ) -> None:
        self.named = words.named
        self._words, self._clock, self._now = words, clock, now
        self._past, self._tense = past, "was" if past else "say"

    def say(self, name: str, **values: object) -> str:
        """Return a text of the console as plain text."""
        return str(self._words(name, **values).unescape())

    def _tensed(self, name: str, **values: object) -> str:
        return self.say(f"{self._tense}.{name}", **values)

    def when(self, moment: int | str | None) -> str:
        """Write a moment, its day always with it: paper is read on another day."""
        if moment is None:
            return "-"
        exact = to_moment(moment) if isinstance(moment, str) else moment
        return f"{self._clock.day(exact)} {self._clock.time(exact)}"

    def minute(self, moment: int | str | None) -> str:
        """Write a moment that is known to the minute only."""
        return self.when(moment).removesuffix(":00")

    def sentence(self, code: str, text: str) -> str:
        """Say the sentence of an exception in the language of the report."""
        said = spoken(code, text, self._words, self.minute, _plain, past=self._past)
        return str(said.unescape())

    def verdict(self, parts: Iterable[Part]) -> str:
        """Say what a report comes to."""
        return str(told(parts, self._words, self.minute, _plain).unescape())

    def place(self, view: ItemView) -> Iterator[str]:
        """Say where an item is, who scanned it last, and what it should leave on."""
        if not view.scanned:
            unscanned = "item.never_then" if view.answer.known else "item.not_then"
            yield self.say(unscanned if view.moved else "item.never")
            yield from map(self._hearsay, view.hearsay)
            return
        yield " ".join(self._stay(view))
        if view.latest is not None:
            yield self._last(view.latest)
        if view.expected and view.expected not in view.answer.path:
            said = "expected_left" if view.left_without else "expected"
            yield self._tensed(said, load=view.expected)

    def _hearsay(self, one: Step) -> str:
        heard = {"station": one.station, "scan": self.when(one.occurred)}
        load = one.line.container
        if one.line.action == "expect" and load:
            return self._tensed("expected_by", load=load, **heard)
        status = self.named("status", one.line.status or "-")
        return self._tensed("claimed_by", status=status, **heard)

    def _stay(self, view: ItemView) -> Iterator[str]:
        answer = view.answer
        if answer.status:
            since = self.when(answer.status_since)
            status = self.named("status", answer.status)
            yield self._tensed("status", status=status, since=since)
        else:
            yield self._tensed("seen")
        if answer.location and answer.status in view.left_as:
            yield self._tensed("from", location=answer.location)
        elif answer.location:
            since = self.when(answer.location_since)
            yield self._tensed("at", location=answer.location, since=since)
        else:
            yield self._tensed("nowhere")
        if answer.path:
            yield self._tensed("in", container=" < ".join(answer.path))
        if answer.custodian:
            since = self.when(answer.custodian_since)
            yield self._tensed("held", holder=answer.custodian, since=since)

    def _last(self, last: Step) -> str:
        told = {
            "ago": span((self._now - last.occurred) / SECOND),
            "scan": self.named("action", last.line.action),
            "station": last.station,
        }
        if last.who:
            return self._tensed("last_by", who=last.who, **told)
        return self._tensed("last", **told)

    def untold(self, view: ItemView) -> Iterator[str]:
        """Say which stations have not told everything: a few of them, and how many."""
        answer = view.answer
        if not answer.behind:
            until = answer.complete_until
            sure = self._tensed("sure", moment=self.when(until))
            yield sure if until else self._tensed("no_stations")
            return
        yield " ".join(self._untold_means(view, len(answer.behind)))
        for one in answer.behind[:SILENT]:
            since, station = one.complete_until, one.station
            yield (
                self.say(
                    "item.not_heard_since", station=station, moment=self.when(since)
                )
                if since
                else self.say("item.never_heard", station=station)
            )
        if len(answer.behind) > SILENT:
            yield self.say("item.and_more", number=len(answer.behind) - SILENT)

    def _untold_means(self, view: ItemView, number: int) -> Iterator[str]:
        """Say what follows from so many stations that have not told everything."""
        yield self.say("untold.one" if number == 1 else "untold.some", number=number)
        yield self.say("untold.item_then" if view.moved else "untold.item")
        if number > FEW:
            near = view.lacking
            yield self.say("untold.near" if near else "untold.not_near", number=near)

    def said_by(self, step: Step | None) -> str:
        """Say who claimed it, where a step is no scan but somebody's word."""
        if step is None or step.scan:
            return ""
        name = "report.said_by" if step.who else "report.said"
        return self.say(name, who=step.who, station=step.station)

    def since(self, since: Since) -> Iterator[str]:
        """Say what is known since, and what it changed of what was believed."""
        if since.seen is not None:
            seen = since.seen
            yield self.say(
                "mind.seen_by" if seen.who else "mind.seen",
                place=seen.line.location or "",
                scan=self.when(seen.occurred),
                who=seen.who,
                station=seen.station,
            )
        if since.changes is None:
            yield self.say("mind.too_much")
        for step, heard in since.changes or ():
            told = [self._heard(*one) for one in heard]
            yield " ".join([*told, *self._believed(step)])

    def _heard(self, one: Learnt, station: str) -> str:
        weekday = self.named("weekday", str(self._clock.local(one.moment).isoweekday()))
        moment = self.when(one.moment)
        return self.say(
            f"mind.{one.kind}",
            heard=self.say("mind.moment", weekday=weekday, moment=moment),
            action=self.named("action", one.action),
            item=one.subject,
            station=station,
            scan=self._where(one.scan),
            back="" if one.back is None else self._where(one.back),
        )

    def _where(self, one: Scan) -> str:
        time = self.when(one.occurred)
        return self.say(f"scan.{one.text}", time=time, place=one.place, who=one.who)

    def _believed(self, step: Learnt) -> Iterator[str]:
        if step.new:
            yield self.say("mind.unknown")
        for before, after in step.beliefs:
            said = {"before": self._belief(before), "after": self._belief(after)}
            if not step.new:
                yield self.say("mind.believed", **said)
            elif after.values:
                yield self.say("mind.since_then", after=said["after"])

    def _belief(self, one: Belief) -> str:
        tables = {"status": "status", "wrong": "code"}
        table = tables.get(one.name)
        values = one.values if one.name == "wrong" else one.values[:1]
        value = ", ".join(self.named(table, v) if table else v for v in values)
        return self.say(f"mind.{one.text}", value=value, since=self.when(one.since))

    def witnesses(self, view: ItemView) -> str:
        """Say how much the stations told that could have seen an item."""
        number, lacking = len(view.witnesses), view.lacking
        if not number:
            return self.say("report.no_witnesses")
        if not lacking:
            return self.say("report.heard_all", number=number)
        return self.say("report.heard_of", told=number - lacking, number=number)

    def witness(self, one: Witness) -> tuple[str, str, str]:
        """Say of a station why it could have seen an item, and up to when it told."""
        until = self.when(one.until) if one.until else self.say("report.told_nothing")
        lacks = (self.say("report.may_lack"),) if one.behind else ()
        why = self.say(f"witness.{one.why}")
        return shown(one.station, 80), why, " · ".join((*lacks, until))

    def step(self, one: Step | Gap) -> tuple[str, str]:
        """Say when something happened, and what; of a gap, how long nothing did."""
        if isinstance(one, Gap):
            return "", self.say("item.gap", span=span(one.seconds))
        line = one.line
        status = self.named("status", line.status or "")
        wrong = self.named("code", line.exception or "")
        said = (status, wrong, line.title, line.text, line.reason)
        parts = [*self._scan(one), *said, *self._void(one)]
        told = " · ".join(shown(part, 160) for part in parts if part)
        return self.when(one.occurred), told

    def _scan(self, one: Step) -> Iterator[str | None]:
        line = one.line
        name = deed(line)
        yield self.named("deed", name) if name else self.named("action", line.action)
        yield line.location
        yield line.container
        if line.refused:
            yield self.say("item.refused", reason=self.named("refusal", line.refused))
        if line.damaged:
            yield self.say("item.damaged")
        if one.late:
            happened, heard = self.when(one.occurred), self.when(one.received)
            yield self.say("item.late", happened=happened, heard=heard)
        if one.vague:
            yield self.say("item.vague", lo=self.when(one.lo), hi=self.when(one.hi))
        yield one.station
        yield one.who
        if line.giver:
            yield self.say("item.from", giver=line.giver)
        if one.via:
            yield self.say("item.via", container=one.via)

    def _void(self, one: Step) -> Iterator[str]:
        if one.void is None:
            return
        yield self.say("item.voided", scan=one.void.event)
        if one.void.reason:
            yield self.say("item.void_reason", reason=one.void.reason)
        yield one.void.by


def _plain(kind: str, text: str) -> str:
    """Write what a sentence names, whatever it is, as it is."""
    del kind
    return text
