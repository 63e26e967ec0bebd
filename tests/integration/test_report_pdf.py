"""The incident report as PDF: what it says, and hostile texts as text."""

import shutil
import subprocess
from urllib.parse import quote

import pytest

from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.integration.test_console import HOSTILE
from tests.serving import Log, Service

pytest.importorskip("reportlab", reason="the extra labels is not installed")


async def taken(service: Service, item: str, language: str = "en") -> bytes:
    headers = {
        "Authorization": f"Bearer {service.keys['read']}",
        "Accept-Language": language,
    }
    path = f"/items/{quote(item, safe='')}/report.pdf"
    async with service.session.get(f"{service.url}{path}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "application/pdf"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        return await answer.read()


def read(pdf: bytes) -> str:
    """Read a PDF's text, with a program of Debian's poppler-utils."""
    if shutil.which("pdftotext") is None:
        pytest.skip("there is no pdftotext (Debian: poppler-utils)")
    found = subprocess.run(
        ["pdftotext", "-layout", "-", "-"],  # noqa: S607
        input=pdf,
        capture_output=True,
        check=True,
    )
    return found.stdout.decode()


async def _pick(log: Log, item: str, ago: int) -> None:
    at = to_text(log.service.now - ago * 60 * SECOND)
    line = Line(
        seq=len(log.lines) + 1,
        at=at,
        action="pick",
        item=item,
        location=item,
        operator=item,
        raw=item.encode("ascii", "replace").decode(),
    )
    log.put(encode(line))
    assert (await log.send(len(log.lines) - 1))[0] == 200


async def test_the_pdf_says_what_the_page_says(log: Log) -> None:
    await _pick(log, "P-1", 90)
    text = read(await taken(log.service, "P-1"))
    for words in (
        "Incident report",
        "Handoff overdue",
        "nobody took it over within 30 min.",
        "A scan by the one who takes over",
        "How complete this is",
    ):
        assert words in text
    german = read(await taken(log.service, "P-1", "de"))
    for words in ("Vorfallbericht", "niemand hat es binnen 30 min übernommen"):
        assert words in german


async def test_the_pdf_of_what_was_never_scanned_says_so(log: Log) -> None:
    assert "never scanned" in read(await taken(log.service, "P-NONE"))


@pytest.mark.parametrize("kind", sorted({*HOSTILE} - {"controls"}))
async def test_f25_hostile_texts_are_text_in_the_pdf(log: Log, kind: str) -> None:
    item = HOSTILE[kind]
    await _pick(log, item, 90)
    text = read(await taken(log.service, item)).replace("\n", "").replace(" ", "")
    assert "Handoffoverdue" in text
    first = item[:12].replace(" ", "")
    if first.isascii() and first.isprintable():
        assert first in text
    assert "\u202e" not in text
