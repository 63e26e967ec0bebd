"""One thing that was seen, and what to do about it."""

from pathlib import Path

import msgspec

__all__ = ["UNIT_FOLDERS", "Finding", "fine", "has_unit", "warning", "wrong"]

UNIT_FOLDERS = tuple(
    Path(folder)
    for folder in (
        "/etc/systemd/system",
        "/run/systemd/system",
        "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
    )
)
"""Where systemd looks for units: systemd.unit(5)."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was seen. ``severity``: "fine", "warning" or "wrong"."""

    severity: str
    text: str
    do: str = ""


def fine(text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(severity="fine", text=text)


def warning(text: str, do: str) -> Finding:
    """Return that something should be seen to."""
    return Finding(severity="warning", text=text, do=do)


def wrong(text: str, do: str) -> Finding:
    """Return that something is wrong."""
    return Finding(severity="wrong", text=text, do=do)


def has_unit(name: str) -> bool:
    """Whether a unit of this name is installed for systemd."""
    return any((folder / name).exists() for folder in UNIT_FOLDERS)
