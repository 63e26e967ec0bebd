"""A site's plan as a drawing that can do nothing: a safe part of an SVG. Pure.

What comes from a drawing program is read and written anew: shapes, paths and words with
their looks and places. All else is left out: scripts, styles, links, pictures, what
refers to anything, animations, and what stands inside of these.
"""

import re
from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import NamedTuple
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import escape, quoteattr

__all__ = ["MOST", "Plan", "PlanError", "plan"]

MOST = 4 * 1024 * 1024
"""Bytes of a drawing."""
MOST_SHAPES, DEEPEST = 50_000, 40
_SVG = "http://www.w3.org/2000/svg"
_SHAPES = frozenset(
    {
        *("svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline"),
        *("polygon", "text", "tspan", "title", "desc"),
    }
)
_LOOKS = frozenset(
    {
        *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "opacity"),
        *("stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-dasharray"),
        *("font-size", "font-family", "font-weight", "text-anchor", "display"),
    }
)
_PLACES = frozenset(
    {
        *("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "width"),
        *("height", "points", "d", "transform", "viewBox", "dx", "dy"),
    }
)
_VALUE = re.compile(r"[\w\s.,%#()+'-]*")
"""No colon, slash or quotation mark: nothing that could name anything elsewhere."""
_NUMBER = re.compile(r"\s*([0-9.]+)\s*(?:px|pt|mm|cm|in|pc)?\s*")
_WORDS = frozenset({"text", "tspan", "title", "desc"})


class PlanError(Exception):
    """Why a drawing cannot be used."""


class Plan(NamedTuple):
    """A drawing, and what it shows: left, top, width and height in its own measure.

    ``left_out`` counts the elements that were not taken over, by their names.
    """

    svg: bytes
    frame: tuple[float, float, float, float]
    left_out: Mapping[str, int]


class _Copy:
    """Writes anew what may stay."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.left_out: dict[str, int] = {}
        self.frame: tuple[float, float, float, float] | None = None
        self._open: list[str] = []
        self._skipping = 0
        self._shapes = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """Take in the beginning of an element."""
        space, _, local = name.rpartition(" ")
        self._shapes += 1
        if self._shapes > MOST_SHAPES or len(self._open) >= DEEPEST:
            reason = f"it has more than {MOST_SHAPES} parts, or is nested too deep"
            raise PlanError(reason)
        if self._skipping or space != _SVG or local not in _SHAPES:
            self._skip(local)
            return
        if not self._open:
            self._begin_drawing(local, attributes)
        else:
            self.parts.append(f"<{local}{_written(attributes)}>")
        self._open.append(local)

    def _skip(self, local: str) -> None:
        if not self._open and not self._skipping:
            reason = "it is no SVG"
            raise PlanError(reason)
        if not self._skipping:
            self.left_out[local] = self.left_out.get(local, 0) + 1
        self._skipping += 1

    def _begin_drawing(self, local: str, attributes: dict[str, str]) -> None:
        if local != "svg":
            reason = "it is no SVG"
            raise PlanError(reason)
        self.frame = _frame(attributes)
        box = " ".join(f"{part:g}" for part in self.frame)
        self.parts.append(
            f'<svg xmlns="{_SVG}" viewBox="{box}" preserveAspectRatio="none">'
        )

    def end(self, name: str) -> None:
        """Take in the end of an element."""
        del name
        if self._skipping:
            self._skipping -= 1
            return
        self.parts.append(f"</{self._open.pop()}>")

    def words(self, text: str) -> None:
        """Take in words between elements."""
        if not self._skipping and self._open and self._open[-1] in _WORDS:
            self.parts.append(escape(text))


def _written(attributes: dict[str, str]) -> str:
    given = {**attributes, **_styled(attributes.get("style", ""))}
    return "".join(
        f" {name}={quoteattr(value)}"
        for name, value in sorted(given.items())
        if name in _LOOKS | _PLACES and _harmless(value)
    )


def _styled(style: str) -> dict[str, str]:
    """Read the looks that drawing programs write into ``style``."""
    parts = (part.partition(":") for part in style[:10_000].split(";"))
    found = {name.strip(): value.strip() for name, _, value in parts}
    return {name: value for name, value in found.items() if name in _LOOKS}


def _harmless(value: str) -> bool:
    return _VALUE.fullmatch(value) is not None and "url" not in value.lower()


def _frame(attributes: dict[str, str]) -> tuple[float, float, float, float]:
    """Return what the drawing shows, by its viewBox or its size."""
    box = attributes.get("viewBox", "").replace(",", " ").split()
    if not box:
        sizes = [_NUMBER.fullmatch(attributes.get(n, "")) for n in ("width", "height")]
        box = ["0", "0", *(found[1] for found in sizes if found)]
    try:
        left, top, width, height = map(float, box)
    except ValueError as error:
        reason = "it does not say how large it is: viewBox, or width and height"
        raise PlanError(reason) from error
    numbers = (left, top, width, height)
    if not all(map(isfinite, numbers)) or width <= 0 or height <= 0:
        reason = "it has no size"
        raise PlanError(reason)
    return numbers


def _refuse(*_: object) -> None:
    reason = "it has a document type or entities, which are not taken"
    raise PlanError(reason)


def plan(data: bytes) -> Plan:
    """Read a drawing.

    Raises:
        PlanError: It is none that can be used.
    """
    if len(data) > MOST:
        reason = f"it has more than {MOST // 1024 // 1024} MiB"
        raise PlanError(reason)
    copy, parser = _Copy(), ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = copy.begin
    parser.EndElementHandler = copy.end
    parser.CharacterDataHandler = copy.words
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)  # noqa: FBT003 # expat's
    except ExpatError as error:
        reason = f"it is no XML that can be read: {error}"
        raise PlanError(reason) from error
    if copy.frame is None:
        reason = "it is no SVG"
        raise PlanError(reason)
    return Plan(
        "".join(copy.parts).encode(), copy.frame, MappingProxyType(copy.left_out)
    )
