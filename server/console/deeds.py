"""What a person did, by the name that it is spoken of. Pure."""

from server.console.shown import shown
from server.console.words import Words
from shared.hosts import HostLine

__all__ = ["deed", "did"]


def deed(line: HostLine) -> str:
    """Return what was done to an item, as the texts' table ``deed`` has it.

    It is empty where a line says nothing that a person did.
    """
    if not line.item:
        return ""
    if line.action == "note":
        return _noted(line)
    return "settled" if line.action == "resolve" else ""


def _noted(line: HostLine) -> str:
    if line.owner is not None:
        return "taken" if line.owner else "released"
    if line.wanted is not None:
        return "wanted" if line.wanted else "unwanted"
    if line.title is not None:
        return "titled"
    return "" if line.text is None else "remarked"


def did(line: HostLine, words: Words) -> str:
    """Say what a line says was done, or scanned."""
    name = deed(line)
    if name:
        return words.named("deed", name)
    return words.named("action", shown(line.action, 40))
