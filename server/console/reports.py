"""The incident report of an item: a page to print, and to keep; and the same as PDF."""

import asyncio
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.console.incidents import (
    Completeness,
    Incident,
    completeness,
    incident,
    shift,
)
from server.console.item_view import ItemView, item_view
from server.console.minds import Since, since
from server.console.pdf_offer import can_write, cannot
from server.console.rendering import CONSOLE, HEADERS, page, wording
from server.console.verdict import Part, verdict
from server.exceptions import review
from shared.api.items import ItemException
from shared.moments import to_moment, to_text

__all__ = ["Report", "pdf", "report"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says: the item, all that was ever wrong, and what was first.

    ``shift`` is the one in which that began. ``judged``: a scan shows the item, or
    something was found; else nothing can be said of its steps. ``since``: what is
    known since.
    """

    view: ItemView
    ever: list[ItemException]
    found: Incident | None
    shift: str
    complete: Completeness
    verdict: list[Part]
    judged: bool
    since: Since

    @property
    def name(self) -> str | None:
        """What the item is: its title, or what was remarked of it last."""
        return self.view.answer.title or self.since.name


async def _report(request: web.Request) -> Report:
    shown, context = await item_view(request, whole=True), request.app[CONTEXT]
    key, at = shown.answer.item, shown.view.at
    telling = await context.store.tell(key, shown.view)
    reviewed = review(telling.world, key, telling.said, at, site=context.site)
    ever = [
        ItemException(
            code=one.code, since=to_text(one.since), event=one.event, text=one.text
        )
        for one in reviewed.findings
    ]
    found = incident(ever, shown.story)
    hour = 0
    if found is not None:
        hour = request.app[CONSOLE].clock.local(to_moment(found.first.since)).hour
    return Report(
        view=shown,
        ever=ever,
        found=found,
        shift=shift(hour),
        complete=completeness(shown.story),
        verdict=verdict(
            ever,
            shown.story,
            whole=not shown.before,
            heard=not shown.answer.behind,
            still=bool(reviewed.open),
            actions=context.site.actions,
        ),
        judged=shown.scanned or bool(ever),
        since=await since(request, key, shown.view),
    )


async def report(request: web.Request) -> web.Response:
    """``GET /items/{item}/report?at=&known_at=``."""
    made = await _report(request)
    return page(
        request,
        "report.html",
        msgspec.structs.asdict(made),
        name=made.name,
        past=made.view.past,
        answer=made.view.answer,
        pdf=can_write(),
        held_at=to_text(made.view.view.at),
        held_known=to_text(made.view.view.known_at),
    )


async def pdf(request: web.Request) -> web.Response:
    """``GET /items/{item}/report.pdf?at=&known_at=``.

    Where what writes PDF is not installed, a page says so.
    """
    if not can_write():
        back = request.rel_url.raw_path.removesuffix(".pdf")
        return cannot(request, f"{back}?{urlencode(request.query)}")
    from server.console.report_pdf import written  # noqa: PLC0415 # an extra

    made, speech = await _report(request), wording(request)
    clock = request.app[CONSOLE].clock
    now = request.app[CONTEXT].store.present()
    body = await asyncio.to_thread(written, made, speech, clock, now)
    name = quote(f"report-{wire.key(request, 'item')[:60]}.pdf", safe="")
    return web.Response(
        body=body,
        content_type="application/pdf",
        headers={
            **HEADERS,
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        },
    )
