"""Every route against everybody who is signed in, with and without a token.

Keys and stations: test_server_http.
"""

import re
import shutil
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from server.api.guard import Access, Handler
from server.app import ROUTES
from server.people import People, Role
from tests.serving import Log, Service

PASSWORD = "correct horse"  # noqa: S105 # of nobody
_MAY = {
    Access.ANYBODY: {*Role},
    Access.STATION: set(),
    Access.READER: {*Role},
    Access.STATION_OR_READER: {*Role},
    Access.OPERATOR: {*Role} - {Role.VIEWER},
    Access.SUPERVISOR: {Role.SUPERVISOR, Role.ADMINISTRATOR},
    Access.ADMINISTRATOR: {Role.ADMINISTRATOR},
}


class Person:
    """Somebody who is signed in, and sends what it takes to be obeyed, or not."""

    def __init__(self, service: Service, role: Role) -> None:
        self.service = service
        person = service.context.people.find(role.value)
        assert person is not None
        secret, _ = service.context.sessions.begin(person, service.now)
        found = service.context.sessions.find(secret, service.now)
        assert found is not None
        self.cookie, self.token = secret, found.token

    async def call(self, method: str, path: str, *, obeyed: bool = True) -> int:
        headers = {"Cookie": f"scantrail={self.cookie}", "Accept": "application/json"}
        if obeyed:
            headers |= {"Origin": self.service.url, "Scantrail-Token": self.token}
        async with self.service.session.request(
            method,
            f"{self.service.url}{path}",
            data=b"" if method == "POST" else None,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=10),
        ) as answer:
            return answer.status


@pytest.fixture(scope="module")
def hashed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of people: a hash takes its time."""
    folder = tmp_path_factory.mktemp("people")
    for role in Role:
        People(folder).put(role.value, role, PASSWORD, "then")
    return folder


@pytest.fixture
def people(service: Service, hashed_once: Path) -> dict[Role, Person]:
    shutil.copytree(hashed_once, service.folder / "people", dirs_exist_ok=True)
    return {role: Person(service, role) for role in Role}


def _filled(path: str, log: Log) -> str:
    names = {"log": log.id, "station": log.name, "kind": "titles", "version": "1"}
    return re.sub(r"{(\w+)}", lambda part: names.get(part[1], "P-1"), path)


_CASES = [
    pytest.param(route, id=f"{route[0]} {route[1]}")
    for route in ROUTES
    if route[:2] != ("POST", "/sign-in")  # it asks for a password: test_console
]


@pytest.mark.parametrize("route", _CASES)
async def test_every_route_admits_the_roles_that_it_says_and_no_other(
    people: dict[Role, Person], log: Log, route: tuple[str, str, Access, Handler]
) -> None:
    method, path, access, _ = route
    filled = _filled(path, log)
    changes = method not in {"GET", "HEAD"} and access is not Access.ANYBODY
    for role, person in people.items():
        if changes:  # CSRF: what another page makes the browser send
            assert await person.call(method, filled, obeyed=False) == 403
        status = await person.call(method, filled)
        assert (status == 403) == (role not in _MAY[access]), role
        assert status < 500


def test_every_route_has_one_rule_and_every_rule_is_of_a_role() -> None:
    """A handler stands for its route's rule: two rules would be one too many."""
    rules: dict[Handler, set[Access]] = {}
    for _, _, access, handler in ROUTES:
        rules.setdefault(handler, set()).add(access)
    assert all(len(found) == 1 for found in rules.values())
    assert set(_MAY) == set(Access)


def test_what_anybody_may_is_a_short_list() -> None:
    open_to_all = {(m, p) for m, p, access, _ in ROUTES if access is Access.ANYBODY}
    assert open_to_all == {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/openapi.json"),
        ("POST", "/v1/enrol"),
        ("GET", "/"),
        ("GET", "/assets/{version}/{name}"),
        ("GET", "/sign-in"),
        ("POST", "/language"),
        ("POST", "/sign-in"),
        ("GET", "/sign-in/oidc"),
        ("GET", "/sign-in/oidc/back"),
    }


async def test_a_route_without_a_rule_admits_nobody(service: Service) -> None:
    """Such a route cannot come about by the table; even then it would be closed."""
    reached: list[str] = []

    async def forgotten(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.Response(text="secret")

    service.app.router._frozen = False
    service.app.router.add_get("/forgotten", forgotten)
    for who in ("nobody", "read", "admin"):
        status, said = await service.call("GET", "/forgotten", who)
        assert status == 500
        assert "secret" not in str(said)
    assert reached == []
