"""The incident report as PDF: what it says, and hostile texts as text."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse

from shared.hosts import HostLine
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.integration.test_console import HOSTILE
from tests.poppler import read
from tests.serving import Log, Service


async def _answered(
    service: Service, path: str, language: str
) -> tuple[ClientResponse, bytes]:
    headers = {
        "Authorization": f"Bearer {service.keys['read']}",
        "Accept-Language": language,
    }
    async with service.session.get(f"{service.url}{path}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return answer, await answer.read()


async def taken(
    service: Service, item: str, language: str = "en", query: str = ""
) -> bytes:
    path = f"/items/{quote(item, safe='')}/report.pdf{query}"
    answer, body = await _answered(service, path, language)
    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    return body


async def page_of(
    service: Service, item: str, query: str = "", language: str = "en"
) -> str:
    """Read the report's page as its reader does: without markup."""
    path = f"/items/{quote(item, safe='')}/report{query}"
    _, body = await _answered(service, path, language)
    return _bare(unescape(re.sub(r"<[^>]*>", "", body.decode())))


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


def _bare(text: str) -> str:
    return " ".join(text.split())


async def _tell(log: Log, ago: int, action: str, **more: str) -> None:
    at = to_text(log.service.now - ago * 60 * SECOND)
    said: dict[str, Any] = {"item": "P-7", "action": action, **more}
    log.put(encode(HostLine(seq=len(log.lines) + 1, at=at, **said)))
    assert (await log.send(len(log.lines) - 1))[0] == 200


async def ring(log: Log) -> None:
    """Let another system call a ring shipped, and its load leave without it."""
    shop = Log(log.service, "SHOP")
    await shop.join("host")
    await _tell(log, 90, "accept", location="PACK-3", operator="B-CAS")
    await _tell(shop, 80, "claim", status="shipped", text="label printed")
    await _tell(shop, 80, "expect", container="M-21")
    await _tell(log, 70, "load", item="P-8", container="M-21", location="DOCK-1")
    await _tell(log, 60, "depart", item="M-21", location="DOCK-1")
    await _tell(log, 50, "see", location="FLOOR", operator="B-EVE")


async def test_the_pdf_and_the_page_tell_the_same(log: Log) -> None:
    await ring(log)
    pdf = _bare(read(await taken(log.service, "P-7")))
    page = await page_of(log.service, "P-7")
    for text in (pdf, page):
        for words in (
            "ago: seen, by B-EVE, at station DOCK.",
            "It should have left on M-21, which has gone.",
            "shipped",
            "label printed",
        ):
            assert words in text
    assert "SHOP · shipped · label printed" in pdf


async def test_a_report_names_five_silent_stations_and_counts_the_rest(
    log: Log,
) -> None:
    await ring(log)
    for number in range(8):
        await Log(log.service, f"QUIET-{number}").join()
    for text in (
        _bare(read(await taken(log.service, "P-7"))),
        await page_of(log.service, "P-7"),
    ):
        assert "9 stations may hold scans that have not arrived here." in text
        assert "If this item was scanned there since, it may be elsewhere" in text
        named = re.findall(r"has told nothing (?:since [^.]*|yet)\.", text)
        assert len(named) == 5
        assert "and 4 more" in text


async def _joined_at(log: Log, name: str, place: str) -> None:
    station = Log(log.service, name)
    told = {"name": name, "kind": "station", "location": place}
    _, invited = await log.service.call("POST", "/v1/stations", json=told)
    await station.enrol(str(invited["code"]))


async def test_a_report_names_the_stations_that_could_have_seen_the_item(
    log: Log,
) -> None:
    for number in range(9):
        await _joined_at(log, f"FAR-{number}", f"F-{number}")
    await _joined_at(log, "AISLE", "FLOOR")
    await ring(log)
    log.service.now += 3600 * SECOND
    for text in (
        _bare(read(await taken(log.service, "P-7"))),
        await page_of(log.service, "P-7"),
    ):
        untold = text.partition(" stations may hold scans that have not arrived")[2]
        first, second = re.findall(r"\S+ has told nothing \w+", untold)[:2]
        assert first == "AISLE has told nothing yet"
        assert second == "DOCK has told nothing since"
        near = text.partition("Stations that could have seen it")[2]
        near = near.partition("A step that nobody scanned")[0]
        assert "0 of 2 have told everything" in near
        for words in ("AISLE", "it stands where the item was last", "DOCK"):
            assert words in near
        assert "FAR-" not in near


VERDICTS = {
    "en": (
        "As far as was heard, it was never scanned as shipped.",
        "Another system (SHOP) called it shipped on {claim} (label printed).",
        "Its load M-21 left on {left} without it.",
    ),
    "de": (
        "Soweit gehört, wurde es nie als versandt gescannt.",
        "Ein anderes System (SHOP) nannte es am {claim} versandt (label printed).",
        "Seine Ladung M-21 fuhr am {left} ohne es ab.",
    ),
    "es": (
        "Por lo que se ha oído, nunca se escaneó como enviado.",
        "Otro sistema (SHOP) lo dio por enviado el {claim} (label printed).",
        "Su carga M-21 salió el {left} sin llevarlo.",
    ),
}


async def both(log: Log, item: str, query: str = "", language: str = "en") -> list[str]:
    """Read the page and the PDF."""
    service = log.service
    pdf = await taken(service, item, language, query)
    return [await page_of(service, item, query, language), _bare(read(pdf))]


@pytest.mark.parametrize("language", VERDICTS)
async def test_a_report_says_at_its_top_what_it_comes_to(
    log: Log, language: str
) -> None:
    await ring(log)
    await Log(log.service, "QUIET").join()
    told = {
        name: to_text(log.service.now - ago * 60 * SECOND)[:16].replace("T", " ")
        for name, ago in (("claim", 80), ("left", 60))
    }
    says = " ".join(VERDICTS[language]).format(**told)
    for text in await both(log, "P-7", language=language):
        assert says in text


async def test_what_was_scanned_as_shipped_is_not_said_to_be_never(log: Log) -> None:
    await ring(log)
    await _tell(log, 40, "depart", location="DOCK-1")
    for text in await both(log, "P-7"):
        assert "never scanned" not in text
        assert "Another system (SHOP) called it shipped" in text
        assert "None of this is open any more." in text


async def test_a_report_of_a_moment_before_the_first_event_does_not_judge(
    log: Log,
) -> None:
    await ring(log)
    before = f"?at={to_text(log.service.now - 24 * 3600 * SECOND)}"
    for text in await both(log, "P-7", before):
        assert "No scan of it is known as of this moment: it cannot be judged" in text
        assert "No step of it was missed" not in text


async def test_a_report_of_a_past_moment_says_what_is_known_since_and_what_it_is(
    log: Log,
) -> None:
    shop = Log(log.service, "SHOP")
    await shop.join("host")
    then = log.service.now - 70 * 60 * SECOND
    await _tell(shop, 95, "note", text="title: Ring, gold, 52")
    await _tell(log, 90, "accept", location="PACK-3", operator="B-CAS")
    await _tell(log, 50, "see", location="FLOOR", operator="B-EVE")
    await _tell(log, 40, "see", location="SHELF", operator="B-ANA")
    for text in await both(log, "P-7", f"?at={to_text(then)}&known_at={to_text(then)}"):
        assert "Ring, gold, 52" in text
        assert "What changed our mind" in text
        assert "Later it was seen at FLOOR" in text
        assert "by B-EVE, at station" in text
        assert "SHELF" not in text
        assert "Until then nothing was known of it." in text
    for text in await both(log, "P-7"):
        assert "What changed our mind" not in text


async def test_who_claimed_it_stands_where_the_first_missed_step_is_told(
    log: Log,
) -> None:
    await ring(log)
    for text in await both(log, "P-7"):
        assert "said by SHOP" in text


async def test_what_is_gone_left_then_from_there_in_reports_and_in_lists(
    log: Log,
) -> None:
    await ring(log)
    for text in await both(log, "P-8"):
        assert "and left from DOCK-1." in text
    service = log.service
    headers = {"Authorization": f"Bearer {service.keys['read']}"}
    url = f"{service.url}/places/DOCK-1"
    async with service.session.get(url, headers=headers) as answer:
        assert answer.status == 200
    url = f"{service.url}/find?q=P-"
    async with service.session.get(url, headers=headers) as answer:
        text = _bare(re.sub(r"<[^>]+>", " ", await answer.text()))
    left = to_text(service.now - 60 * 60 * SECOND)[11:19]
    assert f"left with M-21 at {left} from DOCK-1" in text


async def test_where_a_step_was_has_no_dash_where_no_place_is_known(log: Log) -> None:
    await ring(log)
    page, pdf = await both(log, "P-7")
    assert "WhereSHOPShift" in page
    assert "Where SHOP Shift" in pdf


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
