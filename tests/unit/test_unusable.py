"""Why a database cannot be used, in words, by what a driver says."""

import socket
import ssl

import asyncpg
import pytest

from server.store.postgres.unusable import unusable


@pytest.mark.parametrize(
    ("error", "what", "do"),
    [
        (
            socket.gaierror(-2, "Name or service not known"),
            "no machine is known by the host's name",
            "Correct the host",
        ),
        (TimeoutError(), "no answer came in time", "firewall"),
        (
            ssl.SSLCertVerificationError(1, "self-signed certificate"),
            "certificate is not trusted (self-signed certificate)",
            "sslrootcert",
        ),
        (
            asyncpg.TooManyConnectionsError("sorry, too many clients already"),
            "no connection left: sorry, too many clients already",
            "max_connections",
        ),
        (
            asyncpg.CannotConnectNowError("the database system is starting up"),
            "the database system is starting up",
            "Wait until PostgreSQL has started",
        ),
        (asyncpg.PostgresError("odd\nthing."), "odd thing", "Check that PostgreSQL"),
    ],
)
def test_what_a_driver_says_is_told_with_what_to_do(
    error: Exception, what: str, do: str
) -> None:
    found = unusable(error)
    assert what in found.what
    assert do in found.do
    assert "\n" not in str(found)
    assert str(found).endswith("Nothing was changed.")


def test_nothing_of_an_address_that_cannot_be_read_is_told() -> None:
    found = unusable(ValueError("invalid literal for int() with base 10: 'secret'"))
    assert "secret" not in str(found)
    assert "postgresql://USER@HOST/DATABASE" in found.do
