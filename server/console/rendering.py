"""From a template and values to a page. The only module that imports jinja2."""

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from importlib.resources import files
from urllib.parse import quote, urlsplit

import msgspec
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from server.api.context import CONTEXT, Context
from server.api.guard import SAFE, Access, lacked, may, signed_in
from server.api.signing import kept_language
from server.console.causes import MOST_TOGETHER, written
from server.console.clock import Clock
from server.console.deeds import did
from server.console.shown import FEW, SILENT, shown, signed
from server.console.spoken import spoken
from server.console.verdict import told
from server.console.weights import tone, worst
from server.console.words import LANGUAGES, Words, chosen, words
from server.people import Role
from server.problems import ProblemError
from server.store import View, is_own, partly
from shared.hosts import HostLine
from shared.moments import SECOND, span, to_moment, to_text
from shared.protocol import ProblemType

__all__ = ["CONSOLE", "HEADERS", "Asset", "Console", "asked_for_page"]
__all__ += ["came_from", "held", "page", "problem_page", "see_other", "wording"]

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
}
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_ROLES = (Access.OPERATOR, Access.SUPERVISOR, Access.ADMINISTRATOR)
MOST_NAMED = 3
"""Administrators whom a refusal names."""
_LONGEST_ADDRESS = 2000
_SHORT = 24
"""Characters of a code that is not broken into lines."""
_SCREENS: tuple[tuple[str, Access], ...] = (
    ("find", Access.READER),
    ("exceptions", Access.READER),
    ("board", Access.READER),
    ("floor", Access.READER),
    ("loads", Access.READER),
    ("stations", Access.READER),
    ("figures", Access.READER),
    ("incidents", Access.READER),
    ("events", Access.READER),
    ("labels", Access.SUPERVISOR),
    ("access", Access.ADMINISTRATOR),
    ("system", Access.ADMINISTRATOR),
)
"""What the navigation leads to, and whom each screen admits."""


class Asset(msgspec.Struct, frozen=True):
    """A file of the pages, as it is served."""

    content_type: str
    body: bytes


class Console:
    """What all pages share; made once.

    Raises:
        ConfigError: The zone or the language of the settings is none.
    """

    def __init__(self, context: Context) -> None:
        self.clock = Clock(context.zone)
        self._language = words(context.language).language if context.language else ""
        self._templates = Environment(
            loader=PackageLoader("server.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(_LINKS, FEW=FEW, SILENT=SILENT)
        self._templates.globals.update(MOST_TOGETHER=MOST_TOGETHER, written=written)
        self._templates.globals.update(tone=tone, worst=worst)
        self.assets = {
            path.name: Asset(_TYPES[path.name.rpartition(".")[2]], path.read_bytes())
            for path in (files("server.console") / "assets").iterdir()
            if path.name.rpartition(".")[2] in _TYPES
        }
        bodies = b"\0".join(asset.body for _, asset in sorted(self.assets.items()))
        self.version = sha256(bodies).hexdigest()[:16]

    def words(self, request: web.Request) -> Words:
        """Return the language of a page: what its reader chose, or else the site's.

        Where there is neither, it is the first that his browser asks for.
        """
        kept = kept_language(request)
        if kept in LANGUAGES:
            return words(kept)
        asked = request.headers.get("Accept-Language", "")
        return words(self._language or chosen(asked))

    def render(
        self, request: web.Request, name: str, values: Mapping[str, object]
    ) -> str:
        """Make a page."""
        speech, now = self.words(request), request.app[CONTEXT].store.present()
        past = values.get("past")
        view = past if isinstance(past, View) else None
        session, provider = signed_in(request), request.app[CONTEXT].oidc
        shared: dict[str, object] = {
            "t": speech,
            "now": now,
            "zone": self.clock.zone(now),
            "assets": f"/assets/{self.version}",
            "me": session.person if session else None,
            "token": session.token if session else "",
            "here": request.path_qs,
            "stay": request.path_qs if request.method == "GET" else came_from(request),
            "languages": [words(one) for one in LANGUAGES],
            "screens": [name for name, who in _SCREENS if may(request, who)],
            "provider": provider.settings.called if provider else "",
            "may": lambda who: may(request, Access[who]),
            "span": span,
            "signed": signed,
            "field": self.clock.field,
            "utc": to_text,
            "past": None,
            "partly": partly.old(),
            "tense": "say" if view is None else "was",
            "held": held(view),
            "left_as": request.app[CONTEXT].site.gone,
            **(links := _links(self.clock, now, view)),
            "weekday": lambda moment: speech.named(
                "weekday", str(self.clock.local(moment).isoweekday())
            ),
            "spoken": lambda code, text: spoken(
                code,
                text,
                speech,
                links["minute"],
                links["called"],
                past=view is not None,
            ),
            "did": lambda line: did(line, speech),
            "told": lambda parts: told(
                parts, speech, partial(links["minute"], day=True), links["called"]
            ),
        }
        return self._templates.get_template(name).render({**shared, **values})


CONSOLE: web.AppKey[Console] = web.AppKey("console", Console)


def held(view: View | None) -> str:
    """Return the query of an address that holds a view; none for the present."""
    if view is None:
        return ""
    return f"?at={to_text(view.at)}&known_at={to_text(view.known_at)}"


def _links(
    clock: Clock, now: int, view: View | None
) -> dict[str, Callable[..., object]]:
    """Return how templates write moments, and what can be opened.

    From a view of the past links lead to what they name at the same moment, and ages
    count from it.
    """
    as_of, at_it = now if view is None else view.at, held(view)

    def when(
        moment: int | str | None, *, day: bool = False, minute: bool = False
    ) -> Markup:
        """Write a moment, with its ``day`` if it is not today's, or in any case.

        ``minute``: it is known to the minute only.
        """
        if moment is None:
            return Markup("-")
        exact = _moment(moment)
        text = clock.time(exact)
        if day or clock.day(exact) != clock.day(now):
            text = f"{clock.day(exact)} {text}"
        exactly = to_text(exact)
        if minute:
            text, exactly = text[: -len(":00")], f"{exactly[:16]}Z"
        return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(
            exactly, text
        )

    def called(kind: str, text: str) -> object:
        """Write what a sentence names, as a link where there is a page of it."""
        ways = {"item": item, "container": item, "load": load, "place": place}
        return {**_NAMED, **ways}.get(kind, _code)(text)

    item, load, place = (_named(kind, at_it) for kind in ("items", "loads", "places"))
    return {
        "when": when,
        "called": called,
        "dated": partial(when, day=True),
        "minute": partial(when, minute=True),
        "ago": lambda moment: span((as_of - _moment(moment)) / SECOND),
        "item_link": item,
        "load_link": load,
        "place_link": place,
    }


def _moment(moment: int | str) -> int:
    return to_moment(moment) if isinstance(moment, str) else moment


def _code(text: object, most: int = 300) -> Markup:
    if isinstance(text, Markup):
        return text
    look = "code long" if len(str(text)) > _SHORT else "code"
    return Markup('<bdi class="{}">{}</bdi>').format(look, shown(str(text), most))


def _link(
    kind: str, key: str, label: object, look: str = "plain", query: str = ""
) -> Markup:
    shown_as = _code(label) if look == "plain" else label
    return Markup('<a class="{}" href="/{}/{}{}">{}</a>').format(
        look, kind, quote(key, safe=""), query, shown_as
    )


def _named(kind: str, query: str = "") -> Callable[[str], Markup]:
    def link(key: str) -> Markup:
        return _link(kind, key, key, query=query)

    return link


def _station(name: str) -> Markup:
    """Link to a station; the server's own log is none."""
    return _code(name) if not name or is_own(name) else _link("stations", name, name)


def _who(line: HostLine) -> Markup | str:
    """Link to the badge that a line has, or else name who wrote it; "" for nobody."""
    if line.operator:
        return _link("people", line.operator, line.operator)
    return _code(line.by, 60) if line.by else ""


_NAMED: Mapping[str, Callable[[str], object]] = {
    "who": _named("people"),
    "by": _station,
}
"""How sentences write what they name, whatever the view."""

_LINKS: Mapping[str, Callable[..., object]] = {
    "code": _code,
    "person_link": _named("people"),
    "station_link": _station,
    "who_link": _who,
    "event_link": lambda event, label: _link("events", event, label, "evidence"),
    "path": lambda *parts: "/" + "/".join(quote(part, safe="") for part in parts),
    "shown": shown,
}
"""What templates call that no page makes different."""


def wording(request: web.Request) -> Words:
    """Return the language of a request."""
    return request.app[CONSOLE].words(request)


def page(
    request: web.Request,
    template: str,
    values: Mapping[str, object] | None = None,
    *,
    status: int = 200,
    **more: object,
) -> web.Response:
    """Answer with a page: a template, and the values in it.

    ``past`` among them is the `View` of a page that shows a past moment: it speaks in
    the past tense, and counts ages from then.
    """
    return web.Response(
        status=status,
        text=request.app[CONSOLE].render(request, template, {**(values or {}), **more}),
        content_type="text/html",
        headers=HEADERS,
    )


def see_other(where: str, default: str = "/find") -> web.Response:
    """Lead a browser on to a page of ours, and nowhere else."""
    ours = where.startswith("/") and not where.startswith(("//", "/\\"))
    safe = ours and where.isprintable() and "\\" not in where
    return web.Response(
        status=303, headers={**HEADERS, "Location": where if safe else default}
    )


def asked_for_page(request: web.Request) -> bool:
    """Whether who asks reads pages: a browser that opens an address."""
    return "text/html" in request.headers.get("Accept", "")


def came_from(request: web.Request) -> str:
    """Return the page of ours that a form was on; empty where it is not known."""
    parts = urlsplit(request.headers.get("Referer", "")[:_LONGEST_ADDRESS])
    ours = parts.netloc.lower() == request.host.lower()
    return f"{parts.path}?{parts.query}".rstrip("?") if ours else ""


def problem_page(request: web.Request, error: ProblemError) -> web.Response:
    """Answer a browser with what went wrong; who is not signed in shall sign in."""
    problem = error.problem
    if problem.status == web.HTTPUnauthorized.status_code and request.method == "GET":
        return see_other(f"/sign-in?to={quote(request.path_qs, safe='')}")
    if problem.type == ProblemType.PROVE:
        return see_other(f"/prove?to={quote(came_from(request), safe='')}")
    if problem.type == ProblemType.SECOND:
        return see_other("/me")
    needed, people = lacked(request), request.app[CONTEXT].people
    managing = [one.name for one in people.all() if one.role is Role.ADMINISTRATOR]
    answer = page(
        request,
        "problem.html",
        status=problem.status,
        problem=problem,
        unkept=problem.type == ProblemType.STORAGE and request.method not in SAFE,
        needed=needed.value if needed in _ROLES else None,
        managing=[shown(name, 40) for name in managing[:MOST_NAMED]],
    )
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer
