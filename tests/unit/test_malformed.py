"""What is no HTTP fills no log."""

import logging
import sys

from aiohttp.http_exceptions import BadHttpMessage

from server.malformed import EVERY, Malformed
from shared.logfmt import Logfmt


def _record(error: Exception) -> logging.LogRecord:
    try:
        raise error  # noqa: TRY301
    except Exception:  # noqa: BLE001 # whatever it is
        return logging.LogRecord(
            *("aiohttp.server", logging.ERROR, "f", 1),
            *("Error handling request from %s", ("192.0.2.1",), sys.exc_info()),
        )


def test_a_request_that_is_none_is_one_line_a_minute() -> None:
    now = 100.0
    found = Malformed(lambda: now)
    passed = [found.filter(_record(BadHttpMessage("odd\nX: 1"))) for _ in range(1000)]
    assert passed == [True] + [False] * 999
    now += EVERY
    record = _record(BadHttpMessage("odd\x1b\nX: 1"))
    assert found.filter(record)
    assert Logfmt().format(record) == (
        "level=warning logger=aiohttp.server "
        'msg="Error handling request from 192.0.2.1: odd\\x1b (999 more before)"'
    )


def test_what_is_the_servers_own_fault_keeps_its_stack() -> None:
    record = _record(KeyError("ours"))
    assert Malformed().filter(record)
    assert record.levelno == logging.ERROR
    assert "KeyError" in Logfmt().format(record)
