"""Signing in by an identity provider: who gets in, as what, and all that is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from server.oidc.pending import PATIENCE, Pending
from server.oidc.provider import Provider
from server.oidc.settings import OidcSettings
from shared.errors import StartError
from shared.moments import SECOND
from tests.identity_provider import (
    CLIENT,
    SECRET,
    IdentityProvider,
    other_key,
    shared_secret,
)
from tests.serving import Service

PAGE = {"Accept": "text/html"}
ROLES: dict[str, Any] = {"floor": "operator", "chiefs": "supervisor"}


@pytest.fixture
async def idp(service: Service, tmp_path: Path) -> AsyncIterator[IdentityProvider]:
    secret = tmp_path / "client.secret"
    secret.write_text(f"{SECRET}\n")
    claims = {"preferred_username": "ana", "roles": ["floor", "chiefs", "else"]}
    made = IdentityProvider(claims=claims, now=service.now // SECOND)
    async with made.running() as running:
        settings = OidcSettings(
            issuer=running.url,
            client_id=CLIENT,
            secret_file=str(secret),
            address=service.url,
            roles=ROLES,
        )
        service.context.oidc = Provider(settings, lambda: service.now)
        service.context.sessions._visitors = True
        yield running


class Browser:
    """A browser that goes there and back."""

    def __init__(self, service: Service) -> None:
        self.service = service
        jar = aiohttp.CookieJar(unsafe=True)
        self.session = aiohttp.ClientSession(cookie_jar=jar, headers=PAGE)

    async def get(
        self, path: str, query: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        async with self.session.get(
            f"{self.service.url}{path}", params=query, allow_redirects=False
        ) as answer:
            where = answer.headers.get("Location", "")
            return answer.status, await answer.text(), where

    async def there(self, to: str = "/board") -> dict[str, str]:
        status, _, where = await self.get("/sign-in/oidc", {"to": to})
        assert status == 303
        return dict(parse_qsl(urlsplit(where).query))

    async def back(self, query: dict[str, str]) -> tuple[int, str, str]:
        return await self.get("/sign-in/oidc/back", query)

    async def is_in(self) -> bool:
        return (await self.get("/find"))[0] == 200


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Browser]:
    found = Browser(service)
    yield found
    await found.session.close()


async def test_who_has_a_role_there_gets_in_with_the_highest(
    browser: Browser, idp: IdentityProvider
) -> None:
    assert "Sign in with SSO" in (await browser.get("/sign-in"))[1]
    query = await browser.there()
    assert query["redirect_uri"] == f"{browser.service.url}/sign-in/oidc/back"
    assert (query["response_type"], query["client_id"]) == ("code", CLIENT)
    assert (query["scope"], query["code_challenge_method"]) == (
        "openid profile",
        "S256",
    )
    assert min(map(len, (query["state"], query["nonce"], query["code_challenge"]))) > 40
    status, _, to = await browser.back(idp.leads_back(query))
    assert (status, to) == (303, "/board")
    _, page, _ = await browser.get("/find")
    assert "ana (SSO)" in page
    assert await browser.is_in()
    status, _, _ = await browser.get("/join")
    assert status == 403  # a supervisor
    kept = {cookie.key: cookie for cookie in browser.session.cookie_jar}
    assert set(kept) == {"scantrail"}
    browser.service.now += 12 * 3600 * SECOND
    assert not await browser.is_in()


async def test_a_session_ends_with_the_provider(
    browser: Browser, idp: IdentityProvider
) -> None:
    await browser.back(idp.leads_back(await browser.there()))
    assert await browser.is_in()
    browser.service.context.sessions._visitors = False
    assert not await browser.is_in()


async def test_an_answer_counts_once_in_one_browser_and_for_a_while(
    browser: Browser, idp: IdentityProvider
) -> None:
    answer = idp.leads_back(await browser.there())
    other = Browser(browser.service)
    assert (await other.back(answer))[0] == 403  # login CSRF: another's answer
    await other.session.close()
    assert (await browser.back(answer))[0] == 403  # it is used up by that
    answer = idp.leads_back(await browser.there())
    assert (await browser.back({**answer, "state": "x"}))[0] == 403
    browser.service.now += PATIENCE + SECOND
    assert (await browser.back(answer))[0] == 403
    assert not await browser.is_in()
    assert idp.exchanged == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"changed": {"iss": "https://evil.example"}},
        {"changed": {"aud": "another client"}},
        {"changed": {"aud": [CLIENT, "another"]}},
        {"changed": {"aud": [CLIENT, "another"], "azp": "another"}},
        {"changed": {"azp": "another"}},
        {"changed": {"nonce": "of another sign-in"}},
        {"changed": {"exp": 1}},
        {"changed": {"iat": 2**40}},
        {"changed": {"preferred_username": "a\x1b[2J\nb"}},
        {"changed": {"preferred_username": ["a"]}},
        {"changed": {"roles": ["else"]}},
        {"changed": {"roles": {"chiefs": True}}},
        {"changed": {"roles": 7}},
        {"without": ("nonce",)},
        {"without": ("exp",)},
        {"without": ("iss",)},
        {"without": ("aud",)},
        {"without": ("preferred_username",)},
        {"header": {"alg": "none"}},
        {"header": {"alg": "HS256"}, "key": shared_secret()},
        {"header": {"alg": "RS256"}, "key": other_key()},
        {"header": {"kid": "unheard of"}},
        {"describes": {"issuer": "https://evil.example"}},
        {"describes": {"token_endpoint": "http://evil.example/token"}},
        {"describes": {"jwks_uri": "file:///etc/passwd"}},
    ],
    ids=lambda wrong: str(wrong)[:60].replace("\x1b", "ESC"),
)
async def test_nobody_gets_in_by_what_is_not_as_it_has_to_be(
    browser: Browser, idp: IdentityProvider, wrong: dict[str, Any]
) -> None:
    idp.published = idp.key
    for name, value in wrong.items():
        setattr(idp, name, value)
    status, _, where = await browser.get("/sign-in/oidc")
    if status == 303:
        query = dict(parse_qsl(urlsplit(where).query))
        status, page, _ = await browser.back(idp.leads_back(query))
        assert "\x1b" not in page
    assert status == 403
    assert not await browser.is_in()


async def test_another_issuer_in_the_answer_is_refused(
    browser: Browser, idp: IdentityProvider
) -> None:
    answer = idp.leads_back(await browser.there())
    assert (await browser.back({**answer, "iss": "https://evil.example"}))[0] == 403
    assert idp.exchanged == []


async def test_a_provider_with_new_keys_is_asked_for_them(
    browser: Browser, idp: IdentityProvider
) -> None:
    await browser.back(idp.leads_back(await browser.there()))
    idp.key = other_key()
    idp.header = {"alg": "PS256"}
    status, _, _ = await browser.back(idp.leads_back(await browser.there()))
    assert status == 303


async def test_a_provider_that_does_not_answer_is_said(
    browser: Browser, idp: IdentityProvider
) -> None:
    idp.describes = {"token_endpoint": f"{idp.url}/nothing"}
    status, page, _ = await browser.back(idp.leads_back(await browser.there()))
    assert status == 403
    assert "Try again" in page


async def test_without_a_provider_there_is_no_such_way(browser: Browser) -> None:
    assert "Sign in with" not in (await browser.get("/sign-in"))[1]
    for path in ("/sign-in/oidc", "/sign-in/oidc/back"):
        assert (await browser.get(path))[0] == 404


async def test_who_comes_too_often_waits(
    browser: Browser, idp: IdentityProvider
) -> None:
    del idp
    found = [(await browser.get("/sign-in/oidc"))[0] for _ in range(41)]
    assert found == [303] * 40 + [429]


def test_who_is_under_way_costs_no_more_than_so_much() -> None:
    pending = Pending(most=3)
    gone = [pending.begin("/", n) for n in range(5)]
    back = [pending.back(state, browser, 9) for state, browser, _ in gone]
    assert [one is not None for one in back] == [False, False, True, True, True]


@pytest.mark.parametrize(
    "settings",
    [
        {"client_id": ""},
        {"roles": {}},
        {"address": ""},
        {"issuer": "http://idp.example"},
        {"address": "http://scan.example"},
        {"secret_file": "/nowhere"},
    ],
)
def test_settings_that_cannot_be_are_said(settings: dict[str, Any]) -> None:
    good: dict[str, Any] = {
        "issuer": "https://idp.example",
        "client_id": CLIENT,
        "address": "https://scan.example",
        "roles": ROLES,
    }
    Provider(OidcSettings(**good), lambda: 0)
    with pytest.raises(StartError):
        Provider(OidcSettings(**{**good, **settings}), lambda: 0)
