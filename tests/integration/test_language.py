"""The language of the pages: what a reader chose counts, in his browser alone."""

from collections.abc import AsyncIterator

import pytest

from server.console import CONSOLE
from tests.integration.test_console import Browser
from tests.serving import Service


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Browser]:
    found = Browser(service)
    yield found
    await found.session.close()


async def spoken(browser: Browser, **headers: str) -> str:
    _, text, _ = await browser.get("/sign-in", **headers)
    return text.partition('<html lang="')[2][:2]


async def test_what_was_chosen_counts_before_the_site_and_the_browser(
    service: Service, browser: Browser
) -> None:
    asked = {"Accept-Language": "de"}
    assert await spoken(browser, **asked) == "de"
    service.app[CONSOLE]._language = "en"
    assert await spoken(browser, **asked) == "en"
    form = {"language": "es", "to": "/sign-in?to=/board"}
    assert (await browser.post("/language", form))[::2] == (303, form["to"])
    assert await spoken(browser, **asked) == "es"
    (cookie,) = browser.session.cookie_jar
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    elsewhere = Browser(service)
    assert await spoken(elsewhere, **asked) == "en"
    await elsewhere.session.close()


@pytest.mark.parametrize("language", ["", "xx", "../en", "en\r\nX-Evil: 1"])
async def test_a_language_that_is_not_here_is_not_kept(
    browser: Browser, language: str
) -> None:
    status, _, _ = await browser.post("/language", {"language": language, "to": "/"})
    assert status == 400
    assert not list(browser.session.cookie_jar)


async def test_a_page_that_answers_a_form_leads_back_to_where_the_form_was(
    service: Service, browser: Browser
) -> None:
    where = "/sign-in?to=/board"
    async with browser.session.post(
        f"{service.url}/sign-in",
        data={"name": "nobody", "password": "wrong password", "to": "/board"},
        headers={
            "Accept": "text/html",
            "Origin": service.url,
            "Referer": f"{service.url}{where}",
        },
    ) as answer:
        assert answer.status == 403
        assert f'name="to" value="{where}"' in await answer.text()


async def test_another_site_cannot_choose_and_nobody_is_led_elsewhere(
    browser: Browser,
) -> None:
    form = {"language": "es", "to": "//evil.example"}
    for origin in (None, "https://evil.example"):
        assert (await browser.post("/language", form, origin))[0] == 400
    assert (await browser.post("/language", form))[::2] == (303, "/find")
