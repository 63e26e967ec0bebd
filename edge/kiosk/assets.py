"""The page's files, read once from the package, with the language's words in them."""

import hashlib
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from types import MappingProxyType

import msgspec

from edge.texts import Texts

__all__ = ["Asset", "Page", "page"]

_WORD = re.compile(r"\{\{(\w+)\}\}")
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "page.html": "text/html",
        "page.css": "text/css",
        "page.js": "text/javascript",
        "link.js": "text/javascript",
        "sound.js": "text/javascript",
        "icon.svg": "image/svg+xml",
    }
)


class Asset(msgspec.Struct, frozen=True):
    """One file as it is served."""

    content_type: str
    body: bytes


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The files by their path; ``name`` changes whenever one of them does."""

    assets: Mapping[str, Asset]
    name: str


def page(language: str, texts: Texts) -> Page:
    """Return the page in a language; each ``{{word}}`` of it is one of the texts.

    Raises:
        KeyError: The page has a word that the language lacks.
    """
    captions = {caption.value: text for caption, text in texts.captions.items()}
    words = {**captions, **texts.page, "language": language}
    folder = files("edge.kiosk")
    found = {name: (folder / name).read_text("utf-8") for name in _TYPES}
    digest = hashlib.sha256("\0".join([*found.values(), *words.values()]).encode())
    words["page"] = digest.hexdigest()[:16]
    found["page.html"] = _WORD.sub(
        lambda match: escape(words[match[1]]), found["page.html"]
    )
    assets = {
        f"/{name.removeprefix('page.html')}": Asset(_TYPES[name], text.encode())
        for name, text in found.items()
    }
    return Page(assets=assets, name=words["page"])
