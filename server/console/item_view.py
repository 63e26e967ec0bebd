"""What the pages of an item are made of, gathered as of one view."""

from collections.abc import Sequence

import msgspec
from aiohttp import web

from server.answers import Horizon, answer, history
from server.api import wire
from server.api.context import CONTEXT, Context
from server.console.likely import Place, likely
from server.console.rendering import CONSOLE
from server.console.timeline import Gap, Step, Void, timeline
from server.console.witnesses import Witness, nearest_first, then_at, witnesses
from server.findings import MANIFEST
from server.problems import invalid
from server.station_exceptions import Seen
from server.store import Store, View
from shared.api.items import ItemAnswer, ItemEvent
from shared.hosts import Topic, host_line
from shared.moments import to_text

__all__ = ["ItemView", "could_have_seen", "expected_on", "item_view", "known_then"]
__all__ += ["moment_of", "view_of"]

HEARSAY = frozenset({"claim", "expect"})
"""Another system's word: what it believes, and what it expects on a load."""
MOST_EVENTS = 500
"""Events of an item on one page, the newest; the interface gives all."""
LATELY, NEXT = 2000, 3
"""Lines that say who does what comes next, the newest; and how many of those."""


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """An item as of a view; ``before`` counts older events, which are not in the story.

    ``moved``: the view is not now. ``hearsay`` is what others said of an item that no
    scan shows; empty where one does, as ``scanned`` says. ``witnesses`` could have seen
    it; those of them that have not told everything are the first of the answer's.
    ``left_as``: the statuses of what has left the site.
    """

    answer: ItemAnswer
    story: list[Step | Gap]
    latest: Step | None
    before: int
    places: list[Place]
    expected: str | None
    owner: str
    view: View
    moved: bool
    scanned: bool
    hearsay: list[Step]
    witnesses: list[Witness]
    left_as: frozenset[str]

    @property
    def lacking(self) -> int:
        """How many of those that could have seen it have not told everything."""
        return sum(one.behind for one in self.witnesses)

    @property
    def left_without(self) -> bool:
        """Whether the load has gone on which it should have left."""
        return any(one.code == MANIFEST for one in self.answer.exceptions)

    @property
    def past(self) -> View | None:
        """The view, where it is of a past moment."""
        return self.view if self.moved else None


def view_of(request: web.Request) -> tuple[View, bool]:
    """Read ``at`` and ``known_at`` of an address, and whether either is there.

    Without an offset they are in the site's zone, as a form sends them.

    Raises:
        ProblemError: 400 where one is no time.
    """
    now = request.app[CONTEXT].store.present()
    at, known = moment_of(request, "at"), moment_of(request, "known_at")
    moved = at is not None or known is not None
    return View(
        at=now if at is None else at, known_at=now if known is None else known
    ), moved


def known_then(request: web.Request) -> int | None:
    """Return as we knew it when the query asks; ``None``: by all that is known now."""
    known = moment_of(request, "known_at")
    now = request.app[CONTEXT].store.present()
    return None if known is None or known >= now else known


def moment_of(request: web.Request, name: str) -> int | None:
    """Return the moment that the query names so; ``None`` where it names none."""
    text = request.query.get(name, "").strip()
    if not text:
        return None
    try:
        found = request.app[CONSOLE].clock.moment(text)
        to_text(found)
    except (ValueError, OverflowError, OSError) as error:
        reason = f"{name}={text[:40]!r}: expected a time such as 2026-04-27T08:00:00Z"
        raise invalid(reason) from error
    return found


async def item_view(request: web.Request, *, whole: bool = False) -> ItemView:
    """Gather an item of the path, as of the view of the query.

    ``whole``: the stations that do what comes next are looked for, too.
    """
    context, key = request.app[CONTEXT], wire.key(request, "item")
    store, (view, moved) = context.store, view_of(request)
    horizon = await store.horizon(view)
    found = answer(
        await store.tell(key, view),
        key,
        at=view.at,
        known_at=view.known_at,
        horizon=horizon,
        site=context.site,
    )
    kept = await store.history(key, view)
    told = history(
        kept.events, kept.stored, key, known_at=view.known_at, horizon=horizon
    ).events
    newest = told[-MOST_EVENTS:]
    story = timeline(newest, await _voids(store, newest), view.at, context.site.actions)
    steps = [s for s in story if isinstance(s, Step) and s.void is None]
    latest = next((s for s in steps if s.scan), None)
    shown = found.status is not None or found.location is not None
    scanned = found.known and (shown or latest is not None)
    expected = _expected_then(steps) if moved else await expected_on(store, key)
    near = await could_have_seen(
        context,
        found,
        story,
        expected,
        horizon,
        seen=await store.stations(),
        whole=whole,
    )
    found = msgspec.structs.replace(found, behind=nearest_first(found.behind, near))
    owner = await store.said(Topic.OWNER, [key])
    return ItemView(
        answer=found,
        story=story,
        latest=latest,
        before=len(told) - len(newest),
        places=likely(found, story, [one.station for one in near if one.behind]),
        expected=expected,
        owner=(owner[-1].line.owner or "") if owner else "",
        view=view,
        moved=moved,
        scanned=scanned,
        hearsay=[] if scanned else [s for s in steps if s.line.action in HEARSAY],
        witnesses=near,
        left_as=context.site.gone,
    )


async def could_have_seen(
    context: Context,
    found: ItemAnswer,
    story: list[Step | Gap],
    expected: str | None,
    horizon: Horizon,
    *,
    seen: Sequence[Seen],
    whole: bool = False,
) -> list[Witness]:
    """Return those of the stations that could have seen an item; see `ItemView`."""
    store = context.store
    last = {found.location or ""}
    if expected:
        last.add((await store.item(expected)).location or "")
    steps = (one for one in story if isinstance(one, Step))
    latest = next((one for one in steps if one.scan and one.void is None), None)
    following = []
    if whole and latest is not None:
        lately = await store.events(max(0, store.position() - LATELY), LATELY)
        read = ((entry.station, host_line(entry.line)) for entry in lately)
        told = [(station, line) for station, line in read if line is not None]
        allowed = context.site.follows.get(found.status or "", frozenset())
        following = then_at(told, latest.line.action, allowed)
    return witnesses(seen, story, last - {""}, horizon, following[:NEXT])


async def expected_on(store: Store, key: str) -> str | None:
    """Return the load on which an item should leave, as is said now."""
    said = await store.said(Topic.EXPECTED, [key])
    return said[-1].line.container if said else None


def _expected_then(steps: list[Step]) -> str | None:
    """Return the load on which an item should have left, by what was said until then.

    Args:
        steps: Its line of time, newest first, without what was taken back.
    """
    said = (step.line.container for step in steps if step.line.action == "expect")
    return next(said, None)


async def _voids(store: Store, events: list[ItemEvent]) -> dict[str, Void]:
    """Return why events were taken back, and by whom."""
    found = {}
    for name in {event.voided_by for event in events if event.voided_by}:
        entry = await store.event(name)
        line = None if entry is None else host_line(entry.line)
        if line is not None:
            who = line.operator or line.by or ""
            found[name] = Void(name, line.reason or "", who)
    return found
