"""A list that is given before what came late is told says so, also on a page."""

import pytest

from server.app import PARTLY_OLD
from server.people import Role
from server.projections import Projection
from server.store import file_writer
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.integration.test_console import PASSWORD, Browser
from tests.serving import Log, Service

_SAID = "lists on this page may be old in part"


async def _scan(log: Log, ago: int, action: str, item: str, load: str = "") -> None:
    line = Line(
        seq=len(log.lines) + 1,
        at=to_text(log.service.now - ago * SECOND),
        action=action,
        item=item,
        location="GATE",
        container=load or None,
    )
    log.put(encode(line))
    assert (await log.send(len(log.lines) - 1))[0] == 200


async def _partly_old(service: Service, path: str) -> str | None:
    headers = {"Authorization": f"Bearer {service.keys['read']}"}
    async with service.session.get(f"{service.url}{path}", headers=headers) as answer:
        assert answer.status == 200
        return answer.headers.get(PARTLY_OLD)


async def test_lists_and_pages_say_that_they_may_be_old(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.context.people.put("viewer", Role.VIEWER, PASSWORD, "then")
    browser = Browser(service)
    try:
        assert await browser.sign_in("viewer") == 303
        gate, back = Log(service, "gate"), Log(service, "back")
        for log in (gate, back):
            await log.join()
        await _scan(gate, 60, "load", "P-1", "M-1")
        assert await _partly_old(service, "/v1/items?container=M-1") is None
        assert _SAID not in (await browser.get("/board"))[1]

        settle = Projection.settle
        monkeypatch.setattr(Projection, "settle", lambda *_: None)
        monkeypatch.setattr(file_writer, "PATIENCE", 0.01)
        monkeypatch.setattr(service.context.store._writer._projection, "_work", 1)  # type: ignore[attr-defined]
        await _scan(back, 90, "load", "P-2", "M-1")
        assert await _partly_old(service, "/v1/items?container=M-1") == "late-lines"
        assert await _partly_old(service, "/v1/exceptions") == "late-lines"
        assert await _partly_old(service, "/v1/items/P-2") is None
        assert _SAID in (await browser.get("/board"))[1]

        monkeypatch.setattr(Projection, "settle", settle)
        monkeypatch.setattr(file_writer, "PATIENCE", 20)
        assert await _partly_old(service, "/v1/items?container=M-1") is None
        assert _SAID not in (await browser.get("/board"))[1]
    finally:
        await browser.session.close()
