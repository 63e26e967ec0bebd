"""The console over HTTP: who gets in, what is obeyed, and hostile texts as text."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import aiohttp
import pytest

from server.api.rates import PASSWORDS
from server.console import ROUTES
from server.people import Role
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.programs import BIN, Server, told, until
from tests.serving import Log, Service

PASSWORD = "correct horse"  # noqa: S105 # of nobody
PAGE = {"Accept": "text/html"}
SINGLE_SIGN_ON = (
    "/sign-in/oidc",
    "/sign-in/oidc/back",
)  # test_oidc
HOSTILE = {
    "markup": "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "attribute": "\" autofocus onfocus='alert(1)",
    "template": "{{ 7919 * 7907 }}{% for x in y %}",
    "formula": '=HYPERLINK("http://x","y")',
    "rtl": "P-\u202e1234\u2066\u200f",
    "controls": "P-\x07\x1b[2J\x7f",
    "path": "../../etc/passwd?x#y",
    "long": "P-" + "9" * 1000,
}


FILES = {"/live", "/", "/labels/preview", "/labels/sheet", "/figures/{table}"}
FILES |= {"/items/{item}/report.pdf", "/floor/plan/{version}"}
FILES |= {"/loads/{load}/manifest.csv"}
"""What is no page."""


class Browser:
    """Somebody's browser: keeps cookies, follows nothing by itself."""

    def __init__(self, service: Service) -> None:
        self.service = service
        jar = aiohttp.CookieJar(unsafe=True)
        self.session = aiohttp.ClientSession(cookie_jar=jar)

    async def get(self, path: str, **headers: str) -> tuple[int, str, str]:
        async with self.session.get(
            f"{self.service.url}{path}",
            headers={**PAGE, **headers},
            allow_redirects=False,
        ) as answer:
            return (
                answer.status,
                await answer.text(),
                answer.headers.get("Location", ""),
            )

    async def post(
        self, path: str, data: dict[str, str], origin: str | None = ""
    ) -> tuple[int, str, str]:
        headers = dict(PAGE)
        if origin is not None:
            headers["Origin"] = origin or self.service.url
        async with self.session.post(
            f"{self.service.url}{path}",
            data=data,
            headers=headers,
            allow_redirects=False,
        ) as answer:
            return (
                answer.status,
                await answer.text(),
                answer.headers.get("Location", ""),
            )

    async def sign_in(
        self, name: str, password: str = PASSWORD, to: str = "/find"
    ) -> int:
        form = {"name": name, "password": password, "to": to}
        return (await self.post("/sign-in", form))[0]

    async def token(self) -> str:
        _, text, _ = await self.get("/find")
        found = re.search(r'name="token" value="([0-9a-f]{64})"', text)
        assert found is not None
        return found[1]


@pytest.fixture
async def browser(service: Service):  # type: ignore[no-untyped-def] # noqa: ANN201
    for role in Role:
        service.context.people.put(role.value, role, PASSWORD, "then")
    found = Browser(service)
    yield found
    await found.session.close()


async def test_nothing_is_readable_without_signing_in(browser: Browser) -> None:
    for method, path, access, _ in ROUTES:
        if method == "GET" and access.value != "anybody":
            status, text, to = await browser.get(re.sub(r"{\w+}", "P-1", path))
            assert (status, text) == (303, ""), path
            assert to.startswith("/sign-in?to=%2F"), path
    status, _, _ = await browser.get("/v1/items/P-1")
    assert status == 303


async def test_whoever_signs_in_gets_where_he_wanted_and_never_elsewhere(
    browser: Browser,
) -> None:
    assert await browser.sign_in("viewer", "wrong password") == 403
    assert (await browser.get("/find"))[0] == 303
    form = {"name": "VIEWER", "password": PASSWORD}
    for to, leads in (
        ("/items/P-1?at=1", "/items/P-1?at=1"),
        ("//evil.example", "/find"),
        ("/\\evil.example", "/find"),
        ("https://evil.example", "/find"),
        ("/find\r\nX-Evil: 1", "/find"),
    ):
        assert (await browser.post("/sign-in", {**form, "to": to}))[::2] == (303, leads)
    status, text, _ = await browser.get("/find")
    assert status == 200
    assert "viewer" in text
    (cookie,) = browser.session.cookie_jar
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert (await browser.get("/v1/items/P-1"))[0] == 200
    await browser.post("/sign-out", {"token": await browser.token()})
    assert (await browser.get("/find"))[0] == 303


async def test_behind_tls_the_cookie_is_bound_to_this_host(browser: Browser) -> None:
    form = {"name": "viewer", "password": PASSWORD, "to": "/find"}
    told = {**PAGE, "X-Forwarded-Proto": "https", "Origin": browser.service.url}
    async with browser.session.post(
        f"{browser.service.url}/sign-in", data=form, headers=told, allow_redirects=False
    ) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-scantrail=se_")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_no_password_is_taken_over_a_network_without_tls(
    browser: Browser,
) -> None:
    form = {"name": "viewer", "password": PASSWORD}
    told = {**PAGE, "Host": "scan.example:8080", "Origin": "http://scan.example:8080"}
    async with browser.session.post(
        f"{browser.service.url}/sign-in", data=form, headers=told, allow_redirects=False
    ) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
        assert "TLS" in await answer.text()


async def test_f75_who_guesses_passwords_is_slowed_down(browser: Browser) -> None:
    tried = [
        await browser.sign_in("viewer", "wrong password") for _ in range(PASSWORDS)
    ]
    assert set(tried) == {403}
    assert await browser.sign_in("viewer") == 429
    assert await browser.sign_in("operator") == 303
    browser.service.now += 15_000_000
    assert await browser.sign_in("viewer") == 303


async def test_a_role_does_what_it_may_and_nothing_more(
    browser: Browser, log: Log
) -> None:
    allowed = {
        "viewer": set(),
        "operator": {"note", "own"},
        "supervisor": {"note", "own", "resolve", "want"},
    }
    form = {"text": "x", "exception": "handoff_overdue", "reason": "x", "to": "/find"}
    for role, may in allowed.items():
        await browser.sign_in(role)
        token = await browser.token()
        for act in ("note", "own", "resolve", "want"):
            done = await browser.post(f"/items/P-1/{act}", {**form, "token": token})
            assert done[0] == (303 if act in may else 403), (role, act)
        revoked = await browser.post(f"/stations/{log.name}/revoke", {"token": token})
        assert revoked[0] == 403


async def test_f76_what_another_page_makes_a_browser_send_is_not_obeyed(
    browser: Browser,
) -> None:
    await browser.sign_in("supervisor")
    token, form = await browser.token(), {"text": "x", "to": "/find"}
    for data, origin in (
        (form, ""),
        ({**form, "token": "0" * 64}, ""),
        ({**form, "token": token}, "https://evil.example"),
        ({**form, "token": token}, "null"),
        ({**form, "token": token}, None),
    ):
        assert (await browser.post("/items/P-1/note", data, origin))[0] == 403
    assert browser.service.context.store.position() == 0
    done = await browser.post("/items/P-1/note", {**form, "token": token})
    assert done[::2] == (303, "/find")


async def test_a_code_to_join_names_the_certificate_that_no_authority_knows(
    browser: Browser,
) -> None:
    browser.service.context.fingerprint = "sha256:abcd"
    await browser.sign_in("administrator")
    form = {"token": await browser.token(), "name": "DOCK-9", "location": "DOCK-9"}
    _, text, _ = await browser.post("/join", form)
    assert f"scantrail-station join {browser.service.url}#sha256:abcd " in text


async def test_an_act_is_in_the_servers_own_log_with_who_did_it(
    browser: Browser,
) -> None:
    await browser.sign_in("supervisor")
    form = {"token": await browser.token(), "to": "/items/P-1"}
    await browser.post("/items/P-1/own", form)
    await browser.post("/items/P-1/note", {**form, "text": "under the belt"})
    _, text, _ = await browser.get("/items/P-1")
    assert "under the belt" in text
    assert "is seeing to it" in text
    entry = (await browser.service.context.store.events(0, 10))[-1]
    assert b'"by":"supervisor"' in entry.line


@pytest.mark.parametrize("kind", HOSTILE)
async def test_f25_f76_hostile_texts_are_text_on_every_page(
    browser: Browser, log: Log, kind: str
) -> None:
    text = HOSTILE[kind]
    log.put(
        encode(
            Line(
                seq=1,
                at=to_text(browser.service.now),
                action="load",
                item=text,
                location=text,
                container=f"{text}!",
                operator=text,
                raw="x" + text.encode("ascii", "replace").decode() * 4,
                reason=text,
            )
        )
    )
    assert (await log.send(0))[0] == 200
    await browser.sign_in("supervisor")
    token, key = await browser.token(), quote(text, safe="")
    form = {"token": token, "text": text[:900], "to": "/find"}
    assert (await browser.post(f"/items/{key}/note", form))[0] == 303
    for path in (
        "/find",
        f"/find?q={key[:40] if kind == 'long' else key}",
        f"/items/{key}",
        f"/items/{key}/report",
        f"/places/{key}",
        f"/people/{key}",
        "/floor",
        "/figures",
        "/incidents",
        "/incidents?by=station",
        f"/events/{log.id}:1",
        f"/loads/{quote(text + '!', safe='')}",
        f"/loads/{quote(text + '!', safe='')}/manifest",
        "/exceptions",
        "/exceptions/search-list",
        f"/sign-in?to={key}",
    ):
        status, page, to = await browser.get(path)
        if status == 303:
            assert to.startswith("/items/")
            continue
        assert status == 200, path
        for bad in ("<img", "<script>", "onfocus='", "\u202e", "\x1b", "\x07"):
            assert bad not in page, path
        assert page.count("<script") == 1, path
        assert "62615533" not in page, path


async def test_a_strange_address_is_answered_with_a_page(browser: Browser) -> None:
    await browser.sign_in("viewer")
    for path, expected in (
        ("/nothing", 404),
        ("/events/x", 404),
        ("/items/P-1?at=yesterday", 400),
        ("/items/P-1?at=9999-12-31T23:59:59-23:59", 400),
        ("/floor?at=noon", 400),
        ("/figures?days=3", 400),
        ("/figures?at=0001-01-01T00:00:00Z", 200),
        ("/figures/nothing", 404),
        ("/figures/dwell?format=doc", 400),
        ("/floor?at=0001-01-01T00:00:00Z", 200),
        ("/floor?at=2999-01-01T00:00:00Z", 200),
        ("/stations/NONE", 404),
        ("/join", 403),
        ("/loads/M-1", 200),
        ("/loads?begin=noon", 400),
        ("/loads?end=9999-12-31", 400),
        ("/loads?before=1", 400),
        ("/loads?before=1.x", 400),
        ("/joining/NONE?since=x", 200),
    ):
        status, text, _ = await browser.get(path)
        assert status == expected, path
        assert text.startswith("<!doctype html>"), path


@pytest.mark.parametrize("language", ["de", "en", "es"])
async def test_every_page_is_there_in_every_language(
    browser: Browser, log: Log, language: str
) -> None:
    log.add("P-1")
    await log.send(0)
    await browser.sign_in("administrator")
    for method, path, _, _ in ROUTES:
        if method == "GET" and path not in {*FILES, *SINGLE_SIGN_ON}:
            filled = path.format(
                version="1",
                name="console.css",
                item="P-1",
                location="DOCK-1",
                operator="B-1",
                event=f"{log.id}:1",
                load="M-1",
                station=log.name,
            )
            told = {"Accept-Language": language}
            status, text, _ = await browser.get(filled, **told)
            assert status == 200, path
            assert f'<html lang="{language}">' in text or "assets" in path, path


async def test_what_was_only_spoken_of_was_never_scanned(browser: Browser) -> None:
    for table, rows in (
        ("expect", b"item,load\nP-77,M-8\n"),
        ("claims", b"item,status\nP-77,shipped\n"),
    ):
        head = {"Content-Type": "text/csv"}
        status, _ = await browser.service.call(
            "POST", f"/v1/import/{table}", data=rows, headers=head
        )
        assert status == 200
    await browser.sign_in("viewer")
    _, text, _ = await browser.get("/items/P-77")
    for words in ("It was never scanned here", "should leave on", "M-8", "says that"):
        assert words in text
    assert "It was seen" not in text


async def test_places_badges_and_stations_are_found_by_their_names(
    browser: Browser,
) -> None:
    log = Log(browser.service, "PACK-3")
    await log.join()
    at = to_text(browser.service.now)
    here, who = "PACK-3-FLOOR", "B-EVE"
    put = Line(seq=1, at=at, action="receive", item="P-1", location=here, operator=who)
    log.put(encode(put))
    remark = "title: Ring, gold, 52"
    log.put(encode(Line(seq=2, at=at, action="note", item="P-1", text=remark)))
    assert (await log.send(0))[0] == 200
    for table, rows in (
        ("operators", b"operator,name\nB-EVE,Eve\nB-STEVE,Steve\n"),
        ("locations", b"location,name\nSLEEVE-1,Shelf\nPACK-3,Packing\n"),
    ):
        head = {"Content-Type": "text/csv"}
        path = f"/v1/import/{table}"
        status, said = await browser.service.call("POST", path, data=rows, headers=head)
        assert status == 200, said
    await browser.sign_in("viewer")
    for text, where in (
        ("PACK-3-FLOOR", "/places/PACK-3-FLOOR"),
        ("pack-3-floor", "/places/PACK-3-FLOOR"),
        ("L-PACK-3-FLOOR", "/places/PACK-3-FLOOR"),
        ("EVE", "/people/B-EVE"),
        ("b-eve", "/people/B-EVE"),
    ):
        status, _, to = await browser.get(f"/find?q={text}")
        assert (status, to) == (303, where), text
    _, both, _ = await browser.get("/find?q=PACK-3")
    assert both.index('href="/stations/PACK-3"') < both.index('href="/places/PACK-3"')
    _, some, _ = await browser.get("/find?q=EV")
    assert some.index("B-EVE") < some.index("B-STEVE") < some.index("SLEEVE-1")
    _, noted, _ = await browser.get("/find?q=Ring%2C+gold%2C+52")
    assert "By a remark" in noted
    assert "title: Ring, gold, 52" in noted
    _, nothing, _ = await browser.get("/find?q=NOWHERE")
    assert "Nothing that is known here fits" in nothing


async def test_no_pdf_is_offered_where_none_can_be_written(
    browser: Browser, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.add("P-1")
    await log.send(0)
    await browser.sign_in("supervisor")
    for module in ("reports", "labels"):
        monkeypatch.setattr(f"server.console.{module}.can_write", lambda: False)
    _, text, _ = await browser.get("/items/P-1/report")
    assert "data-print" in text
    assert "report.pdf" not in text
    for path, back in (
        ("/items/P-1/report.pdf?at=2026-01-01T00:00:00Z", "/items/P-1/report?at="),
        ("/labels/sheet?kind=badges&format=pdf", "/labels?kind=badges"),
    ):
        status, text, _ = await browser.get(path)
        assert status == 501
        assert "This server has no PDF writer" in text
        assert f'href="{back}' in text
        assert "pip install" not in text


PAST = {
    "en": ("It had been received since", "3 h 0 min before", "It is "),
    "de": ("Es war angenommen seit", "3 h 0 min davor", "Es ist "),
    "es": ("Estaba recibido desde", "3 h 0 min antes", "Está recibido"),
}


@pytest.mark.parametrize("language", PAST)
async def test_a_past_moment_is_told_in_the_past_tense_and_ages_count_from_it(
    browser: Browser, log: Log, language: str
) -> None:
    hour = 3600 * SECOND
    log.add("P-1")
    await log.send(0)
    log.add("P-1", action="pack", container="C-1")
    browser.service.now += 5 * hour
    then, known = to_text(browser.service.now - 2 * hour), browser.service.at()
    await log.send(1)
    await browser.sign_in("viewer")
    told = {"Accept-Language": language}
    for page in ("/items/P-1", "/items/P-1/report"):
        status, text, _ = await browser.get(f"{page}?at={then}&known_at={then}", **told)
        assert status == 200
        plain = re.sub(r"<[^>]+>", "", text)
        for words in PAST[language][:2]:
            assert words in plain, page
        assert PAST[language][2] not in plain, page
    _, text, _ = await browser.get(f"/items/C-1?at={then}&known_at={then}", **told)
    assert 'class="chips"' not in text, "nothing was in it, as far as we knew"
    _, text, _ = await browser.get(f"/items/C-1?known_at={known}", **told)
    inside = text.partition('class="chips"')[2].partition("</ul>")[0]
    assert "/items/P-1?at=" in inside, "what is shown leads to the same moment"


@pytest.mark.parametrize(
    ("language", "says"),
    [("en", "no scan says so"), ("de", "kein Scan sagt das"), ("es", "ningún escaneo")],
)
async def test_what_is_wrong_is_said_in_the_language_of_the_page(
    browser: Browser, language: str, says: str
) -> None:
    head = {"Content-Type": "text/csv"}
    await browser.service.call(
        "POST", "/v1/import/claims", data=b"item,status\nP-7,shipped\n", headers=head
    )
    await browser.sign_in("viewer")
    for path in ("/exceptions", "/items/P-7", "/items/P-7/report"):
        _, text, _ = await browser.get(path, **{"Accept-Language": language})
        assert says in text, path


async def test_the_last_administrator_stays_one(browser: Browser) -> None:
    people = browser.service.context.people
    await browser.sign_in("administrator")
    token = {"token": await browser.token()}
    for act in ("role", "remove"):
        form = {**token, "role": "viewer"}
        path = f"/access/people/administrator/{act}"
        status, text, _ = await browser.post(path, form)
        assert status == 400
        assert "the only administrator" in text
    people.put("second", Role.ADMINISTRATOR, PASSWORD, "then")
    assert (await browser.post("/access/people/administrator/remove", token))[0] == 303
    assert people.find("administrator") is None
    assert (await browser.get("/access"))[0] == 303  # signed out with it


async def test_what_is_done_to_people_and_keys_is_told_with_who_did_it(
    browser: Browser,
) -> None:
    await browser.sign_in("administrator")
    token = {"token": await browser.token()}
    person = {"name": "nora", "role": "operator", "password": PASSWORD}
    key = {"name": "shop", "scope": "read", "days": "30"}
    for path, form in (
        ("/access/people", person),
        ("/access/people/nora/password", {"password": f"{PASSWORD}!"}),
        ("/access/people/nora/remove", {}),
    ):
        assert (await browser.post(path, {**token, **form}))[0] == 303, path
    assert (await browser.post("/access/keys", {**token, **key}))[0] == 200
    _, page = await browser.service.call("GET", "/v1/events?after=0&limit=100")
    events = page["events"]
    assert isinstance(events, list)
    told = [(one["line"].get("by"), one["line"].get("text")) for one in events]
    for text in (
        "person added: nora as operator",
        "password of nora set anew",
        "person removed: nora",
    ):
        assert ("administrator", text) in told
    assert any("key made: shop, scope read, until" in str(text) for _, text in told)
    assert PASSWORD not in str(events)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/access/people", {"name": "nora", "role": "king", "password": PASSWORD}),
        ("/access/people", {"name": "nora", "role": "viewer", "password": "short"}),
        ("/access/people", {"name": "viewer", "role": "viewer", "password": PASSWORD}),
        ("/access/keys", {"name": "shop", "scope": "all", "days": "1"}),
        ("/access/keys", {"name": "shop", "scope": "read", "days": "-1"}),
        ("/access/keys", {"name": "", "scope": "read", "days": "1"}),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    browser: Browser, path: str, form: dict[str, str]
) -> None:
    await browser.sign_in("administrator")
    context = browser.service.context
    before = [p.role for p in context.people.all()], list(context.keys.all())
    token = {"token": await browser.token()}
    assert (await browser.post(path, {**token, **form}))[0] == 400
    after = [p.role for p in context.people.all()], list(context.keys.all())
    assert before == after


async def test_f76_a_page_allows_nothing_from_elsewhere_and_is_in_no_frame(
    browser: Browser,
) -> None:
    await browser.sign_in("viewer")
    async with browser.session.get(
        f"{browser.service.url}/find", headers=PAGE
    ) as answer:
        policy, text = answer.headers["Content-Security-Policy"], await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in text
    assert not re.search(r'(?:src|href)="(?!/|#)', text)
    for asset in re.findall(r'(?:src|href)="(/assets/[^"]+)"', text):
        async with browser.session.get(f"{browser.service.url}{asset}") as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]


def test_a_person_is_added_with_a_password_from_a_pipe(tmp_path: Path) -> None:
    def person(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / "scantrail-server", "person", *arguments, "--data", tmp_path],
            input=typed,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert person("add", "Ana", "--role=viewer", typed="short\n").returncode == 1
    assert person("add", "Ana", "--role=viewer", typed=f"{PASSWORD}\n").returncode == 0
    assert person("list").stdout == "viewer\tAna\n"
    assert person("remove", "ana").returncode == 0
    assert person("remove", "ana").returncode == 1


def test_what_is_done_at_the_machine_is_in_the_servers_own_log(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    person = (str(BIN / "scantrail-server"), "person", "add", "Ana", "--role=viewer")
    subprocess.run(
        [*person, "--data", str(data)], input=f"{PASSWORD}\n".encode(), check=True
    )
    server = Server(data)
    server.start()
    try:
        made = ("--data", str(data), "--scope=admin", "--name=eva", "--days=30")
        secret = told("scantrail-server", "key", *made)

        def texts() -> list[str]:
            feed = f"{server.url}/v1/events?after=0"
            asked = Request(feed, headers={"Authorization": f"Bearer {secret}"})  # noqa: S310 # loopback
            with urlopen(asked, timeout=10) as answer:  # noqa: S310 # loopback
                events = json.load(answer)["events"]
            return [event["line"].get("text", "") for event in events]

        until(lambda: len(texts()) == 2, "both acts in the log")
        added, key = texts()
        assert added == "person added or set anew: Ana as viewer"
        assert key.startswith("key made: scope admin for eva, until 20")
        assert secret not in key
    finally:
        server.stop()


async def test_signing_in_again_ends_the_session_before(browser: Browser) -> None:
    await browser.sign_in("viewer")
    (first,) = [cookie.value for cookie in browser.session.cookie_jar]
    await browser.sign_in("operator")
    sessions, now = browser.service.context.sessions, browser.service.now
    assert sessions.find(first, now) is None
    assert (await browser.get("/find"))[0] == 200


async def test_a_refusal_says_who_may_and_who_can_give_it(browser: Browser) -> None:
    await browser.sign_in("supervisor")
    _, find, _ = await browser.get("/find")
    assert 'href="/system"' not in find
    status, text, _ = await browser.get("/system")
    assert status == 403
    said = re.sub(r"<[^>]+>", "", text)
    for words in (
        "Not for your role",
        "This is for administrators.",
        "You are signed in as supervisor, a supervisor.",
        "An administrator can give you another role, or do it for you: administrator.",
    ):
        assert words in said
    assert " key" not in said
    _, german, _ = await browser.get("/system", **{"Accept-Language": "de"})
    assert "Das ist für alle, die hier verwalten." in german


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (1, "1 incidents."),
        (10, "a longer one is shown"),
        (40, "1 exceptions of items that began before this period are still open."),
    ],
)
async def test_incidents_never_look_well_while_something_is_open(
    browser: Browser, log: Log, days: int, said: str
) -> None:
    log.add("P-1", action="depart")
    log.add("P-1", action="see")
    await log.send(0)
    browser.service.now += days * 86_400_000_000
    await log.send(2)  # it is heard from
    await browser.sign_in("viewer")
    text = ""
    for _ in range(50):
        _, text, _ = await browser.get("/incidents")
        if "incidents." in text:
            break
        await asyncio.sleep(0.05)
    assert said in text
    assert 'class="sure"' not in text


async def test_what_is_not_wanted_any_more_is_said_to_be_so(browser: Browser) -> None:
    await browser.sign_in("supervisor")
    form = {"token": await browser.token(), "reason": "lost", "to": "/items/P-1"}
    assert (await browser.post("/items/P-1/want", form))[0] == 303
    assert (await browser.post("/items/P-1/unwant", form))[0] == 303
    last = browser.service.context.store.position()
    status, text, _ = await browser.post("/items/P-1/unwant", form)
    assert status == 409
    assert "P-1 was not wanted (any more). Nothing was done." in text
    assert browser.service.context.store.position() == last


async def _three_wrong(browser: Browser, log: Log) -> None:
    """An item that was seen after it left, another claimed, and a silent station."""
    log.add("P-1", action="depart")
    log.add("P-1", action="see")
    await log.send(0)
    browser.service.now += 600 * SECOND
    await browser.service.call(
        "POST",
        "/v1/import/claims",
        data=b"item,status\nP-7,shipped\n",
        headers={"Content-Type": "text/csv"},
    )


async def test_exceptions_tell_of_items_first_and_of_stations_by_kind(
    browser: Browser, log: Log
) -> None:
    await _three_wrong(browser, log)
    await browser.sign_in("viewer")
    _, text, _ = await browser.get("/exceptions")
    headings = [
        " ".join(re.sub(r"<[^>]+>", "", one).split())
        for one in re.findall(r"<h2>(.*?)</h2>", text)
    ]
    assert headings == [
        "Seen after it left · P-1",
        "Another system says otherwise · P-7",
        "Silent: 1 station",
    ]
    assert f'href="/stations/{log.name}"' in text
    assert 'href="/stations"' in text.partition('id="of-stations"')[2]


@pytest.mark.parametrize("code", ["", "silent", "claim_contradicted"])
async def test_every_kind_of_exception_can_be_chosen_whichever_is(
    browser: Browser, log: Log, code: str
) -> None:
    await _three_wrong(browser, log)
    await browser.sign_in("viewer")
    _, text, _ = await browser.get(f"/exceptions?code={code}")
    kinds = text.partition('id="code"')[2].partition("</select>")[0]
    for kind in ("Seen after it left", "Another system says otherwise", "Silent"):
        assert f"{kind} (1)" in kinds
    assert len(re.findall("<h2>", text)) == (1 if code else 3)


def _told(text: str) -> str:
    """What a page says in its line of status of what was done; empty if nothing."""
    found = re.search(r'id="done"[^>]*role="status">(.*?)</div>', text, re.DOTALL)
    return "" if found is None else re.sub(r"<[^>]+>", "", found[1]).strip()


@pytest.mark.parametrize("page", ["/exceptions?order=weight&page=1", "/items/P-1"])
async def test_who_acts_stays_where_he_was_and_is_told_what_it_did(
    browser: Browser, log: Log, page: str
) -> None:
    await _three_wrong(browser, log)
    await browser.sign_in("supervisor")
    form = {"token": await browser.token(), "to": page, "place": "0"}
    settled = {**form, "exception": "seen_after_departure", "reason": "it came back"}
    to = text = ""
    for act, data, says in (
        ("own", form, "P-1: supervisor sees to it now."),
        ("note", {**form, "text": "under the belt"}, "P-1: the remark is written down"),
        ("resolve", settled, "P-1: settled (Seen after it left). It closes this"),
    ):
        status, _, to = await browser.post(f"/items/P-1/{act}", data)
        assert status == 303
        address, _, anchor = to.partition("#")
        assert anchor == "done"
        assert address.startswith(page.partition("?")[0])
        _, text, _ = await browser.get(address)
        assert _told(text).startswith(says)
        form["to"] = data["to"] = settled["to"] = address
    assert to.count("done=") == 1
    assert "Seen after it left · " not in text
    assert not _told((await browser.get(f"{page.partition('?')[0]}?done=x:1"))[1])


async def test_no_address_makes_a_page_say_what_nobody_did(
    browser: Browser, log: Log
) -> None:
    log.put(encode(Line(seq=1, at=log.service.at(), action="note", item="P", text="x")))
    assert (await log.send(0))[0] == 200
    await browser.sign_in("viewer")
    for event in (f"{log.id}:1", f"{log.id}:2", "x", "9" * 200):
        status, text, _ = await browser.get(f"/exceptions?done={event}&place=9")
        assert (status, _told(text)) == (200, "")
    for to in ("//evil.example/x", "https://evil.example", "/\\evil.example"):
        await browser.sign_in("operator")
        form = {"token": await browser.token(), "to": to, "place": "0"}
        assert (await browser.post("/items/P-1/own", form))[2] == "/find"


async def test_each_act_is_told_by_its_name_with_its_reason_and_who_did_it(
    browser: Browser, log: Log
) -> None:
    await _three_wrong(browser, log)
    await browser.sign_in("supervisor")
    form = {"token": await browser.token(), "to": "/find"}
    settled = {"exception": "seen_after_departure", "reason": "it came back"}
    for act, more in (
        ("own", {}),
        ("own", {"release": "1"}),
        ("want", {"reason": "the lorry waits"}),
        ("unwant", {}),
        ("resolve", settled),
    ):
        assert (await browser.post(f"/items/P-1/{act}", {**form, **more}))[0] == 303
    names = ("sees to it", "no longer sees to it", "wanted", "no longer wanted")
    for page in ("/items/P-1", "/events?station=(server)", "/items/P-1/report"):
        _, text, _ = await browser.get(page)
        for name in (*names, "exception settled"):
            assert f">{name}<" in text or f">{name} · " in text, (page, name)
        for said in ("Seen after it left", "it came back", "the lorry waits"):
            assert said in text, (page, said)
        assert "supervisor</bdi>" in text
        assert "seen_after_departure" not in re.sub(r"<[^>]+>", "", text)
