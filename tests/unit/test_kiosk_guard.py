"""Who may ask the screen's server: the station's own page, and nobody else's."""

import pytest

from edge.kiosk.guard import refusal, refused_touch

TOKEN = "the token of this run"  # noqa: S105 - of this test
OWN = {"Host": "127.0.0.1:8090", "Sec-Fetch-Site": "same-origin"}
TOUCH = {**OWN, "Origin": "http://127.0.0.1:8090", "Content-Type": "application/json"}


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_the_page_itself_may_ask(name: str, site: str | None) -> None:
    headers = {"Host": f"{name}:8090"}
    if site:
        headers["Sec-Fetch-Site"] = site
    assert refusal(headers, 8090) == ""


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example:8090",
        "127.0.0.1",
        "127.0.0.1:8091",
        "127.0.0.1.evil.example:8090",
        "localhost.evil.example:8090",
        "evil.example",
        "0.0.0.0:8090",
    ],
)
def test_a_name_that_was_rebound_to_this_machine_is_another_name(host: str) -> None:
    assert "Host" in refusal({**OWN, "Host": host}, 8090)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "whatever"])
def test_another_page_may_ask_nothing(site: str) -> None:
    assert refusal({**OWN, "Sec-Fetch-Site": site}, 8090) == "another web page asked"


def test_a_touch_of_this_page_and_run_is_obeyed() -> None:
    assert refused_touch(TOUCH, TOKEN, TOKEN) == ""
    with_charset = {**TOUCH, "Content-Type": "application/json; charset=utf-8"}
    assert refused_touch(with_charset, TOKEN, TOKEN) == ""


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Origin", ""),
        ("Origin", "http://127.0.0.1:8091"),
        ("Origin", "https://127.0.0.1:8090"),
        ("Content-Type", "text/plain"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Type", ""),
    ],
)
def test_a_touch_that_another_page_could_send_is_not(header: str, value: str) -> None:
    assert refused_touch({**TOUCH, header: value}, TOKEN, TOKEN)


@pytest.mark.parametrize("said", ["", "another", TOKEN[:-1], "\udcff", "é"])
def test_a_touch_without_the_token_is_not(said: str) -> None:
    assert "token" in refused_touch(TOUCH, said, TOKEN)
