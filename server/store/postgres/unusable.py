"""Why a database cannot be used, and what to do, in words for an administrator."""

import socket
import ssl
from collections.abc import Mapping

from shared.errors import StartError

__all__ = ["NothingYetError", "UnusableError", "told", "unusable"]


class UnusableError(StartError):
    """The database of ``[store] url`` cannot be used: ``what`` is wrong, and ``do``."""

    def __init__(self, what: str, do: str, text: str = "") -> None:
        super().__init__(
            text
            or f"the database of [store] url cannot be used: {what}. {do}. "
            "Nothing was changed."
        )
        self.what, self.do = what, do


class NothingYetError(UnusableError):
    """It is there, and no server ever started on it."""

    def __init__(self) -> None:
        super().__init__(
            what := "nothing is kept in the database of [store] url yet",
            do := "start a server first",
            f"{what}: {do}",
        )


_CHECK = (
    "Check that PostgreSQL runs, that the database exists, and that this user may "
    "use it"
)
_STATES: Mapping[str, tuple[str, str]] = {
    "28P01": (
        "PostgreSQL does not take this user's password",
        "Correct the file of [store] password_file, or ALTER ROLE … PASSWORD … there",
    ),
    "28000": (
        "PostgreSQL does not let this user in: {told}",
        "Create the user there (CREATE ROLE … LOGIN), or see its pg_hba.conf",
    ),
    "3D000": (
        "{told}",
        "CREATE DATABASE … OWNER … ENCODING 'UTF8' there, or correct [store] url",
    ),
    "42501": (
        "{told}",
        "Let this user own the database there: ALTER DATABASE … OWNER TO …",
    ),
    "53300": (
        "PostgreSQL has no connection left: {told}",
        "Raise max_connections there: each server process needs nine",
    ),
    "57P03": ("{told}", "Wait until PostgreSQL has started, or see its log"),
}
"""By SQLSTATE."""
_WAYS: tuple[tuple[type[BaseException], tuple[str, str]], ...] = (
    (
        ssl.SSLCertVerificationError,
        (
            "PostgreSQL's certificate is not trusted ({told})",
            "Name its authority (sslrootcert=FILE), and the host as certified",
        ),
    ),
    (
        socket.gaierror,
        (
            "no machine is known by the host's name ({told})",
            "Correct the host in [store] url, or see this machine's name service",
        ),
    ),
    (
        ConnectionRefusedError,
        (
            "nothing listens there ({told})",
            "Start PostgreSQL, see its listen_addresses, or correct [store] url",
        ),
    ),
    (
        FileNotFoundError,
        (
            "there is no socket, or no file of certificates, where [store] url says",
            "Start PostgreSQL, or correct [store] url",
        ),
    ),
    (
        TimeoutError,
        (
            "no answer came in time",
            "See that PostgreSQL runs, and that no firewall is in between",
        ),
    ),
)
_NO_SSL = "rejected SSL upgrade"
_WITHOUT_SSL = (
    "PostgreSQL does not encrypt there, and [store] url asks for it (sslmode)",
    "Set ssl = on there, with a certificate, and restart it",
)
_UNREADABLE = (
    "its address cannot be read",
    "Write it as postgresql://USER@HOST/DATABASE, other characters percent-encoded",
)


def told(error: BaseException) -> str:
    """Say what went wrong in a line; what a driver says holds no password."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def unusable(error: BaseException) -> UnusableError:
    """Say of what a connection failed by what it is, and what to do."""
    what, do = _found(error)
    return UnusableError(what.format(told=told(error).rstrip(".")), do)


def _found(error: BaseException) -> tuple[str, str]:
    state = str(getattr(error, "sqlstate", ""))
    if state in _STATES:
        return _STATES[state]
    if _NO_SSL in str(error):
        return _WITHOUT_SSL
    for kind, found in _WAYS:
        if isinstance(error, kind):
            return found
    if type(error) is ValueError:  # its text may have a part of a password
        return _UNREADABLE
    return "{told}", _CHECK
