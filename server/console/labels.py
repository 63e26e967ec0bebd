"""Labels to print: of places, badges, items and commands, and the scanner's sheet.

Everything is in the address, so that a sheet can be printed again as it was.
"""

import asyncio
import io
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT, Context
from server.client.labels import KINDS, SIZES, SYMBOLOGIES, missing
from server.console.pdf_offer import can_write, cannot
from server.console.rendering import HEADERS, page
from server.problems import ProblemError, invalid, not_found
from shared.errors import StartError
from shared.hosts import Topic
from shared.protocol import ProblemType

if TYPE_CHECKING:
    from server.client.sheets import Label, Page

__all__ = ["Order", "labels", "preview", "sheet"]

MOST = 1000
"""Labels in one go: a page is made while somebody waits for it."""
MOST_SHEETS = 30
"""Sheets that the page shows, and that it prints; more are saved first."""
LONGEST = 6000
"""Characters of codes that are typed in: they have to fit into an address."""
_MOST_LOADS = 200
_MEDIA = {
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "zip": "application/zip",
}


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked for, as the form has it.

    ``source``: where the codes come from: counted, those ``known`` here, or ``typed``
    as rows of code and text. ``word`` is what the site's command labels end with.
    """

    kind: str = "locations"
    source: Literal["counted", "known", "typed"] = "counted"
    prefix: Annotated[str, msgspec.Meta(max_length=100)] = ""
    first: Annotated[int, msgspec.Meta(ge=0, lt=10**12)] = 1
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 24
    digits: Annotated[int, msgspec.Meta(ge=1, le=12)] = 3
    typed: Annotated[str, msgspec.Meta(max_length=LONGEST)] = ""
    word: Annotated[str, msgspec.Meta(max_length=40)] = ""
    size: str = "a4"
    symbology: str = "code128"
    cut_marks: Annotated[str, msgspec.Meta(max_length=1)] = ""


_CHOICES = {"kind": KINDS, "size": SIZES, "symbology": SYMBOLOGIES}


def _order(request: web.Request) -> Order:
    """Read what is asked for.

    Raises:
        ProblemError: 400 where it makes no sense.
    """
    asked = {n: t for n, t in request.query.items() if n in Order.__struct_fields__}
    given = {name: text for name, text in asked.items() if text != ""}
    try:
        order = msgspec.convert(given, Order, strict=False)
    except msgspec.ValidationError as error:
        reason = f"These labels cannot be made: {error}"
        raise invalid(reason) from error
    for name, choices in _CHOICES.items():
        if getattr(order, name) not in choices:
            reason = f"{name}: expected one of {', '.join(choices)}"
            raise invalid(reason)
    return order


async def _codes(context: Context, order: Order) -> "Sequence[Label]":
    from server.client import label_source as source  # noqa: PLC0415 # not everywhere

    if order.kind == "setup":
        return ()
    if order.source == "typed":
        return source.from_text(order.typed, "what was typed")
    if order.kind == "commands":
        return list(source.command_labels(order.word))
    if order.source == "known":
        return await _known(context, order.kind)
    counted = source.counted(order.prefix, order.first, order.count, order.digits)
    return list(counted)


async def _known(context: Context, kind: str) -> "list[Label]":
    """Return what the host systems have told of: places, people, loads."""
    from server.client.sheets import Label  # noqa: PLC0415 # not everywhere

    if kind == "loads":
        loads = await context.store.loads(_MOST_LOADS, 1)
        return [Label(one.load, one.name) for one in loads]
    topic = {"locations": Topic.LOCATION, "badges": Topic.OPERATOR}.get(kind)
    if topic is None:
        reason = "Only places, badges and loads are known by a list; count the others."
        raise StartError(reason)
    said = await context.store.said(topic, None)
    return [Label(o.key, o.line.title or "") for o in said if not o.line.ended]


async def _pages(request: web.Request, order: Order) -> "list[Page]":
    """Lay the pages out.

    Raises:
        StartError: They cannot be made; the text says why, and what to do.
    """
    try:
        from server.client.label_files import Sheet, drawn  # noqa: PLC0415

        codes = await _codes(request.app[CONTEXT], order)
    except ImportError as error:
        raise StartError(missing(error)) from error
    if len(codes) > MOST:
        reason = f"These are {len(codes)} labels; {MOST} can be made at once here."
        raise StartError(reason)
    asked = Sheet(
        kind=order.kind,
        labels=codes,
        size=order.size,
        symbology=order.symbology,
        cut_marks=bool(order.cut_marks),
    )
    return await asyncio.to_thread(drawn, asked)


async def labels(request: web.Request) -> web.Response:
    """``GET /labels?kind=…``: what to print; once that is said, how it looks."""
    order, wrong, made = Order(), "", list["Page"]()
    try:
        order = _order(request)
        if "kind" in request.query:
            made = await _pages(request, order)
    except (StartError, ProblemError) as error:
        wrong = str(error)
    return page(
        request,
        "labels.html",
        order=order,
        kinds=KINDS,
        sizes=SIZES,
        symbologies=SYMBOLOGIES,
        wrong=wrong,
        made=len(made),
        paper=_paper(made[0]) if made else "",
        most_sheets=MOST_SHEETS,
        query=urlencode(msgspec.structs.asdict(order)),
        pdf=can_write(),
        most=MOST,
    )


def _paper(sheet: "Page") -> str:
    """Return which paper a sheet is for, as the stylesheet has it."""
    from server.client.sheets import SIZES as MEASURES  # noqa: PLC0415 # not everywhere

    size = (sheet.width, sheet.height)
    fits = (n for n, one in MEASURES.items() if (one.width, one.height) == size)
    return next(fits, "")


async def _asked(request: web.Request) -> "tuple[Order, list[Page]]":
    order = _order(request)
    try:
        return order, await _pages(request, order)
    except StartError as error:
        raise invalid(str(error)) from error


async def preview(request: web.Request) -> web.Response:
    """``GET /labels/preview?kind=…&page=``: one page, as a picture."""
    order, made = await _asked(request)
    number = wire.number(request, "page", 1, MOST)
    if not 0 < number <= len(made):
        reason = f"There are {len(made)} pages."
        raise not_found(reason)
    (data,) = _written(made[number - 1 : number], order.kind, "svg")
    return _file(data, "svg", "")


async def sheet(request: web.Request) -> web.Response:
    """``GET /labels/sheet?kind=…&format=``: as PDF, as SVG, or a ZIP of these."""
    if request.query.get("format") == "pdf" and not can_write():
        kept = {n: text for n, text in request.query.items() if n != "format"}
        return cannot(request, f"/labels?{urlencode(kept)}")
    order, made = await _asked(request)
    form = request.query.get("format", "svg")
    if form not in {"pdf", "svg"}:
        reason = f"format={form[:20]!r}: expected pdf or svg"
        raise invalid(reason)
    name = f"scantrail-{order.kind}"
    found = await asyncio.to_thread(_written, made, order.kind, form)
    if len(found) == 1:
        return _file(found[0], form, f"{name}.{form}")
    return _file(_zipped(found, name), "zip", f"{name}.zip")


def _written(made: "Sequence[Page]", kind: str, form: str) -> list[bytes]:
    """Write pages.

    Raises:
        ProblemError: They cannot be written as that here.
    """
    from server.client.label_files import written  # noqa: PLC0415 # not everywhere

    try:
        return written(made, kind, form)
    except ImportError as error:
        raise ProblemError(501, ProblemType.INVALID, missing(error)) from error
    except StartError as error:
        raise invalid(str(error)) from error


def _zipped(files: Sequence[bytes], name: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, file in enumerate(files, 1):
            archive.writestr(zipfile.ZipInfo(f"{name}-{number}.svg"), file)
    return data.getvalue()


def _file(data: bytes, form: str, name: str) -> web.Response:
    kept = {"Content-Disposition": f'attachment; filename="{name}"'} if name else {}
    return web.Response(
        body=data, content_type=_MEDIA[form], headers={**HEADERS, **kept}
    )
