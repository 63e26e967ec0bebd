"""The language of the pages, as their reader chooses it."""

from aiohttp import web

from server.api.signing import from_elsewhere, keep_language
from server.console.rendering import see_other
from server.console.words import LANGUAGES
from server.problems import invalid

__all__ = ["choose"]


async def choose(request: web.Request) -> web.Response:
    """``POST /language``: from now on in this browser, before signing in, too."""
    elsewhere = from_elsewhere(request)
    if elsewhere:
        raise invalid(elsewhere)
    form = await request.post()
    language, to = str(form.get("language", "")), str(form.get("to", ""))
    if language not in LANGUAGES:
        reason = f"language: expected one of {', '.join(LANGUAGES)}"
        raise invalid(reason)
    answer = see_other(to)
    keep_language(request, answer, language)
    return answer
