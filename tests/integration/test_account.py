"""One's own account: password, second factor, sessions, and showing that it is you."""

import html
import re
from collections.abc import AsyncIterator

import pyotp
import pytest

from server.api.guard import Access
from server.app import ROUTES
from server.people import Role
from server.sessions import IDLE, PROOF, SHIFT, WALL_IDLE
from shared.moments import SECOND
from tests.integration.test_console import PASSWORD, Browser
from tests.serving import Service

NEW = "tuesday rain bucket"
EASY, WRONG = "viewer12345", "wrong one"


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Browser]:
    for role in Role:
        service.context.people.put(role.value, role, PASSWORD, "then")
    found = Browser(service)
    yield found
    await found.session.close()


async def do(browser: Browser, path: str, **form: str) -> tuple[int, str, str]:
    return await browser.post(path, {**form, "token": await token(browser)})


async def token(browser: Browser) -> str:
    _, text, _ = await browser.get("/me")
    found = re.search(r'name="token" value="([0-9a-f]{64})"', text)
    assert found is not None
    return found[1]


async def acts(service: Service) -> list[tuple[str, str]]:
    _, fed = await service.call("GET", "/v1/events?after=0")
    events = fed["events"]
    assert isinstance(events, list)
    return [(one["line"]["by"], one["line"]["text"]) for one in events]


# --- the password ---------------------------------------------------------------------


async def test_a_person_changes_the_own_password_and_stays_in_here_alone(
    service: Service, browser: Browser
) -> None:
    other = Browser(service)
    for one in (browser, other):
        assert await one.sign_in("viewer") == 303
    status, text, _ = await do(browser, "/me/password", old=WRONG, password=NEW)
    assert (status, "The present password is another" in text) == (200, True)
    status, text, _ = await do(browser, "/me/password", old=PASSWORD, password=EASY)
    assert (status, "guessed easily" in text) == (400, True)
    assert (await other.get("/find"))[0] == 200
    status, _, to = await do(browser, "/me/password", old=PASSWORD, password=NEW)
    assert (status, to) == (303, "/me")
    assert (await browser.get("/find"))[0] == 200
    assert (await other.get("/find"))[0] == 303
    assert await other.sign_in("viewer") == 403
    assert await other.sign_in("viewer", NEW) == 303
    assert await acts(service) == [("viewer", "own password changed")]
    await other.session.close()


# --- sessions -------------------------------------------------------------------------


async def test_a_person_sees_and_ends_the_own_sessions_and_no_others(
    service: Service, browser: Browser
) -> None:
    others = [Browser(service) for _ in range(3)]
    for one in (browser, *others[:2]):
        assert await one.sign_in("operator") == 303
    assert await others[2].sign_in("supervisor") == 303
    _, text, _ = await browser.get("/me")
    ids = re.findall(r'name="id" value="([0-9a-f]{64})"', text)
    assert len(ids) == 2
    assert "127.0.0.1" in text
    assert "aiohttp" in text  # the browser
    await do(browser, "/me/sessions/end", id=ids[0])
    still = [(await one.get("/find"))[0] for one in others]
    assert sorted(still) == [200, 200, 303]
    await do(browser, "/me/sessions/end")
    still = [(await one.get("/find"))[0] for one in others]
    assert still == [303, 303, 200]
    assert (await browser.get("/find"))[0] == 200
    await do(browser, "/me/sessions/end", id="../../people/x")
    assert [text for _, text in await acts(service)] == ["own sessions ended: 1"] * 2
    for one in others:
        await one.session.close()


@pytest.mark.parametrize(
    ("who", "idle"),
    [("administrator", IDLE), ("operator", IDLE), ("viewer", WALL_IDLE)],
)
async def test_a_session_that_lies_still_ends_and_one_in_use_goes_on(
    service: Service, browser: Browser, who: str, idle: int
) -> None:
    await browser.sign_in(who)
    service.now += idle - SECOND
    assert (await browser.get("/find"))[0] == 200
    service.now += idle - SECOND
    assert (await browser.get("/find"))[0] == 200
    service.now += idle + SECOND
    assert (await browser.get("/find"))[0] == 303


async def test_a_page_that_reads_itself_anew_keeps_nobody_signed_in(
    service: Service, browser: Browser
) -> None:
    """Nor is anybody signed in longer than a shift, whatever he does."""
    wall = Browser(service)
    await browser.sign_in("supervisor")
    await wall.sign_in("viewer")
    for one in (browser, wall):
        one.session.headers["Scantrail-Live"] = "1"
    service.now += IDLE - SECOND
    assert (await browser.get("/board"))[0] == 200
    service.now += 2 * SECOND
    assert (await browser.get("/board"))[0] == 303
    assert (await wall.get("/board"))[0] == 200
    for _ in range(3):
        service.now += WALL_IDLE - SECOND
        assert (await wall.get("/board"))[0] == 200
    await wall.session.close()
    del browser.session.headers["Scantrail-Live"]
    await browser.sign_in("supervisor")
    for _ in range(SHIFT // IDLE):
        assert (await browser.get("/board"))[0] == 200
        service.now += IDLE - SECOND
    service.now += SHIFT // IDLE * SECOND
    assert (await browser.get("/board"))[0] == 303


# --- showing that it is you -----------------------------------------------------------


async def test_what_weighs_most_needs_a_password_of_lately(
    service: Service, browser: Browser
) -> None:
    await browser.sign_in("administrator")
    service.now += PROOF + SECOND
    for method, path, access, _ in ROUTES:
        if access is not Access.ADMINISTRATOR or method == "GET":
            continue
        filled = re.sub(r"{\w+}", "viewer", path)
        if method == "POST":
            status, _, to = await do(browser, filled, name="x", role="viewer")
            assert (status, to) == (303, "/prove?to="), path
    assert (await browser.get("/access"))[0] == 200
    form = {"name": "new", "role": "viewer", "password": NEW}
    browser.session.headers["Referer"] = f"{service.url}/access"
    status, _, to = await do(browser, "/access/people", **form)
    assert (status, to) == (303, "/prove?to=%2Faccess")
    assert service.context.people.find("new") is None
    _, text, _ = await browser.get(to)
    assert "Nothing was done yet" in text
    status, text, _ = await do(browser, "/prove", to="/access", password=WRONG)
    assert status == 400
    status, _, to = await do(browser, "/prove", to="/access", password=PASSWORD)
    assert (status, to) == (303, "/access")
    assert (await do(browser, "/access/people", **form))[0] == 303
    assert service.context.people.find("new") is not None
    browser.session.headers["Referer"] = "https://evil.example/x"
    service.now += PROOF + SECOND
    assert (await do(browser, "/access/people", **form))[2] == "/prove?to="
    assert (await do(browser, "/prove", to="//evil", password=PASSWORD))[2] == "/me"


# --- the second factor ----------------------------------------------------------------


async def set_up(service: Service, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    _, text, _ = await do(browser, "/me/second")
    found = re.search(r'name="secret" value="([A-Z2-7]{32})"', text)
    assert found is not None
    made = pyotp.TOTP(found[1])
    code = made.at(service.now // SECOND)
    status, text, _ = await do(
        browser, "/me/second/confirm", secret=found[1], code=code
    )
    assert status == 200
    codes = re.findall(r"(?:[A-Z2-9]{4}-){5}[A-Z2-9]{4}", html.unescape(text))
    assert len(set(codes)) == 8
    return made, codes


async def enter(browser: Browser, code: str, name: str = "supervisor") -> int:
    form = {"name": name, "password": PASSWORD, "to": "/find", "code": code}
    return (await browser.post("/sign-in", form))[0]


async def test_with_a_second_factor_the_password_alone_lets_nobody_in(
    service: Service, browser: Browser
) -> None:
    await browser.sign_in("supervisor")
    made, codes = await set_up(service, browser)
    assert (await browser.get("/find"))[0] == 200
    other = Browser(service)
    used = made.at(service.now // SECOND)
    for wrong in ("", "000000", "abcdef", used):  # it was taken once
        assert await enter(other, wrong) == 403
    service.now += 30 * SECOND
    now = made.at(service.now // SECOND)
    assert await enter(other, f"{now[:3]} {now[3:]}") == 303
    assert await enter(other, now) == 403
    assert await enter(other, used) == 403
    service.now += 30 * SECOND
    assert await enter(other, made.at(service.now // SECOND - 90)) == 403
    service.now += 300 * SECOND
    assert await enter(other, codes[0].lower().replace("-", " ")) == 303
    assert await enter(other, codes[0]) == 403
    assert "7 recovery codes are left" in (await other.get("/me"))[1]
    kept = "".join(path.read_text() for path in service.folder.glob("people/*.json"))
    assert codes[1] not in kept
    assert [text for _, text in await acts(service)] == ["own second factor set up"]
    await other.session.close()


async def test_a_wrong_first_code_sets_nothing_up(
    service: Service, browser: Browser
) -> None:
    await browser.sign_in("supervisor")
    for secret, code in (("A" * 32, "000000"), ("../x", "123456"), ("", "")):
        status, text, _ = await do(
            browser, "/me/second/confirm", secret=secret, code=code
        )
        assert (status, "does not belong to this secret" in text) == (200, True)
    person = service.context.people.find("supervisor")
    assert person is not None
    assert person.second == ""


async def test_a_role_that_needs_one_can_do_nothing_before_it_is_set_up(
    service: Service, browser: Browser
) -> None:
    service.context.second_factor = frozenset({Role.ADMINISTRATOR})
    await browser.sign_in("administrator")
    for path in ("/find", "/access", "/board", "/system", "/v1/items"):
        status, _, to = await browser.get(path)
        assert (status, to) == (303, "/me"), path
    assert (await do(browser, "/access/people", name="x", role="viewer"))[2] == "/me"
    assert "Your role needs a second factor" in (await browser.get("/me"))[1]
    await set_up(service, browser)
    assert (await browser.get("/access"))[0] == 200
    assert (await do(browser, "/me/second/remove"))[0] == 400
    await browser.sign_in("operator")
    assert (await browser.get("/find"))[0] == 200


async def test_a_factor_that_was_lost_is_taken_away_by_an_administrator(
    service: Service, browser: Browser
) -> None:
    await browser.sign_in("supervisor")
    await set_up(service, browser)
    boss = Browser(service)
    await boss.sign_in("administrator")
    assert "Take the second factor away" in (await boss.get("/access"))[1]
    service.now += SECOND
    status, _, to = await do(boss, "/access/people/supervisor/second")
    assert (status, to) == (303, "/access")
    assert (await browser.get("/find"))[0] == 303  # his sessions have ended
    assert await browser.sign_in("supervisor") == 303
    assert (await do(boss, "/access/people/nobody/second"))[0] == 404
    assert ("administrator", "second factor of supervisor removed") in await acts(
        service
    )
    await boss.session.close()


async def test_an_own_factor_is_removed_and_changed_only_by_who_shows_that_it_is_he(
    service: Service, browser: Browser
) -> None:
    await browser.sign_in("supervisor")
    await set_up(service, browser)
    service.now += PROOF + SECOND
    for path in ("/me/second", "/me/second/confirm", "/me/second/remove"):
        assert (await do(browser, path))[2].startswith("/prove"), path
    person = service.context.people.find("supervisor")
    assert person is not None
    code = pyotp.TOTP(person.second).at(service.now // SECOND)
    form = {"to": "/me", "password": PASSWORD}
    assert (await do(browser, "/prove", **form))[0] == 400  # the code is lacking
    assert (await do(browser, "/prove", code=code, **form))[0] == 303
    assert (await do(browser, "/me/second/remove"))[2] == "/me"
    assert await browser.sign_in("supervisor") == 303
