"""Whether this server can write PDF, and what is said where it cannot."""

from importlib.util import find_spec

from aiohttp import web

from server.api.context import CONTEXT
from server.console.rendering import MOST_NAMED, page
from server.console.shown import shown
from server.people import Role

__all__ = ["can_write", "cannot"]


def can_write() -> bool:
    """Whether the library that writes PDF is installed."""
    return find_spec("reportlab") is not None


def cannot(request: web.Request, back: str) -> web.Response:
    """Say that there is no PDF here, who can change that, and lead back."""
    people = request.app[CONTEXT].people.all()
    managing = [one.name for one in people if one.role is Role.ADMINISTRATOR]
    names = [shown(name, 40) for name in managing[:MOST_NAMED]]
    return page(request, "no_pdf.html", status=501, back=back, managing=names)
