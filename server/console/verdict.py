"""What an incident report comes to, in a few sentences from what was found. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from server.console.spoken import Bare, When, put, spoken
from server.console.timeline import Gap, Step
from server.console.words import Words
from server.findings import CLAIM, MANIFEST
from server.sentences import read
from server.site import SHIPPED
from shared.actions import ACTIONS, Actions, Place
from shared.api.items import ItemException

__all__ = ["MOST", "Part", "told", "verdict"]

MOST = 3
"""Kinds of what was wrong that are told, the first; a table has the rest."""


class Part(NamedTuple):
    """A sentence: a text of the console, or the code of an exception.

    ``values`` are written like those of an exception's sentence; of an exception it is
    only its ``text``.
    """

    name: str
    values: Mapping[str, str]


def verdict(
    ever: Iterable[ItemException],
    story: Sequence[Step | Gap],
    *,
    whole: bool,
    heard: bool,
    still: bool,
    actions: Actions = ACTIONS,
) -> list[Part]:
    """Return what the report comes to; nothing where nothing was wrong.

    Args:
        ever: All that was ever wrong, the oldest first.
        story: The line of time.
        whole: The story goes back to the beginning.
        heard: Every station has told everything.
        still: Some of what was wrong is open.
        actions: The site's.
    """
    first: dict[str, ItemException] = {}
    for one in ever:
        first.setdefault(one.code, one)
    if not first:
        return []
    steps = [one for one in story if isinstance(one, Step)]
    parts: list[Part] = []
    if {CLAIM, MANIFEST} & set(first) and whole and not _left(steps, actions):
        name = "verdict.never" if heard else "verdict.never_heard"
        parts.append(Part(name, {"status": _claimed(first.get(CLAIM))}))
    parts.extend(_part(one, steps) for one in list(first.values())[:MOST])
    return parts if still else [*parts, Part("verdict.over", {})]


def _left(steps: Iterable[Step], actions: Actions) -> bool:
    """Whether a scan shows that it left the site, by itself or with what it was in."""
    return any(_gone(one, actions) for one in steps if one.void is None)


def _gone(step: Step, actions: Actions) -> bool:
    action = actions.get(step.line.action)
    shows = action is not None and action.place is Place.GONE
    return shows and step.line.refused is None


def _values(one: ItemException | None) -> Mapping[str, str]:
    found = None if one is None else read(one.code, one.text)
    return {} if found is None else found[1]


def _claimed(claim: ItemException | None) -> str:
    return _values(claim).get("claimed", SHIPPED)


def _part(one: ItemException, steps: Sequence[Step]) -> Part:
    values = _values(one)
    if values and one.code == CLAIM:
        said = {"status": values["claimed"], "time": values["time"]}
        by = dict(_said(one.event, steps))
        return Part("_".join(("verdict.claim", *by)), {**said, **by})
    if values and one.code == MANIFEST:
        load, time = values["container"], values["time"]
        return Part("verdict.left", {"load": load, "time": time})
    return Part(one.code, {"text": one.text})


def _said(event: str, steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    """Say who claimed it, and in what words, where the story has the claim."""
    for step in steps:
        if step.event == event:
            yield "by", step.station
            text = step.line.text or step.line.reason
            if text:
                yield "text", text


def told(parts: Iterable[Part], words: Words, when: When, bare: Bare) -> Markup:
    """Say a verdict in the language of a page; see `spoken`."""
    return Markup(" ").join(
        put(name, values, words, when, bare)
        if name.startswith("verdict.")
        else spoken(name, values["text"], words, when, bare)
        for name, values in parts
    )
