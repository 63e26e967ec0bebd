"""A drawing of the site becomes one that can do nothing, and still looks the same."""

import re
from xml.etree import ElementTree as ET

import pytest

from server.site_plan import MOST, PlanError, plan

HEAD = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"'
HOSTILE = {
    "script": b"<script>alert(1)</script>",
    "script in cdata": b"<script><![CDATA[alert(1)]]></script>",
    "handler": b'<rect onload="alert(1)" onclick="alert(2)" width="1" height="1"/>',
    "style": b"<style>@import 'http://evil.example/x.css'; a {fill: url(#a)}</style>",
    "foreign": b"<foreignObject><iframe src='http://evil.example'/></foreignObject>",
    "link": b'<a href="javascript:alert(1)"><rect width="1" height="1"/></a>',
    "picture": b'<image x:href="http://evil.example/a.png" width="1" height="1"/>',
    "data": b'<image href="data:text/html,alert(1)" width="1" height="1"/>',
    "use": b'<use x:href="http://evil.example/a.svg#b"/>',
    "animation": b'<animate attributeName="href" values="javascript:alert(1)"/>',
    "set": b'<set attributeName="onload" to="alert(1)"/>',
    "look": b'<rect style="fill:url(http://evil.example/a);background:url(x)"/>',
    "attribute": b'<rect fill="url(http://evil.example/a)" filter="url(#b)"/>',
    "reference": b'<rect fill="url(#b)" width="1" height="1"/>',
    "escaped": b'<rect fill="&#117;rl(http://evil.example)"/>',
    "other space": b'<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>',
    "base": b'<g xml:base="http://evil.example/"><rect width="1" height="1"/></g>',
    "instruction": b'<?xml-stylesheet href="http://evil.example/x.xsl"?>',
    "words": b"<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>",
}
_SAFE = re.compile(r"[\w.,%#()+' -]*")


def drawing(inner: bytes, size: bytes = b' viewBox="0 0 40 20"') -> bytes:
    return HEAD + size + b">" + inner + b"</svg>"


@pytest.mark.parametrize("kind", HOSTILE)
def test_f25_a_hostile_drawing_loses_what_could_do_anything(kind: str) -> None:
    found = plan(drawing(HOSTILE[kind] + b'<path d="M0 0h4"/>')).svg
    assert b'<path d="M0 0h4">' in found
    root = ET.fromstring(found)  # noqa: S314 # of our own making
    names = {element.tag.partition("}")[2] for element in root.iter()}
    assert names <= {"svg", "path", "rect", "g", "text"}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert "href" not in name
            assert _SAFE.fullmatch(value), (name, value)
            assert "url" not in value
    assert b"evil.example" not in found
    assert b"<script" not in found


def test_shapes_their_looks_and_words_stay() -> None:
    found = plan(
        drawing(
            b'<g transform="translate(1,2)" style="fill:#ccc; stroke-width:0.5">'
            b'<rect x="1" y="2" width="3" height="4" fill="red"/>'
            b"<text x='1'>Dock &amp; gate</text></g>"
        )
    )
    text = found.svg.decode()
    for part in (
        '<g fill="#ccc" stroke-width="0.5" transform="translate(1,2)">',
        '<rect fill="red" height="4" width="3" x="1" y="2">',
        "Dock &amp; gate",
    ):
        assert part in text
    assert found.frame == (0.0, 0.0, 40.0, 20.0)
    assert found.left_out == {}
    assert plan(found.svg).svg == found.svg


def test_what_was_left_out_is_told() -> None:
    found = plan(drawing(b"<script/><image/><image/><g><use/></g>"))
    assert found.left_out == {"script": 1, "image": 2, "use": 1}


@pytest.mark.parametrize(
    ("size", "frame"),
    [
        (b' width="30mm" height="10mm"', (0.0, 0.0, 30.0, 10.0)),
        (b' viewBox="-5,-5 10 20" width="1"', (-5.0, -5.0, 10.0, 20.0)),
    ],
)
def test_a_drawing_says_how_large_it_is(
    size: bytes, frame: tuple[float, float, float, float]
) -> None:
    assert plan(drawing(b"", size)).frame == frame


BILLION = (
    b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    + drawing(b"<text>&b;</text>")
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<html/>",
        b"<svg viewBox='0 0 1 1'/>",
        drawing(b"", b""),
        drawing(b"", b' width="0" height="1"'),
        drawing(b"", b' viewBox="0 0 nan inf"'),
        drawing(b"<g>" * 60 + b"</g>" * 60),
        drawing(b"<g/>" * 50_001),
        drawing(b"<g>"),
        BILLION,
        b"<!DOCTYPE svg SYSTEM 'file:///etc/passwd'>" + drawing(b""),
        drawing(b" " * MOST),
    ],
)
def test_what_cannot_be_a_plan_is_refused_with_the_reason(data: bytes) -> None:
    with pytest.raises(PlanError, match="it "):
        plan(data)
