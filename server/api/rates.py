"""Who asks too often: joining with wrong codes, and too many requests."""

import ipaddress
import logging
import math

from aiohttp import web

from server.limits import Limiter, client_address
from server.problems import ProblemError
from shared.protocol import ProblemType

__all__ = ["RATES", "Rates"]

WRONG_CODES = 10
"""Wrong codes from one address that are looked at, and then one each …"""
WRONG_CODE_EVERY = 6.0
"""… so many seconds."""
PASSWORDS = 10
"""Passwords that are tried for one name, right or wrong, and then one each …"""
PASSWORD_EVERY = 15.0
"""… so many seconds."""
SIGN_INS = 40
"""Passwords that are tried from one address, and then one each …"""
SIGN_IN_EVERY = 3.0
"""… so many seconds: behind one address there may be a whole site."""

REFUSED, REFUSED_EVERY = 10, 6.0
"""Refusals of one address that the log is told of, and then one in so many seconds."""
COPIED_EVERY = 60.0
"""Seconds between two times that a copy of a station is told of."""

_LOG = logging.getLogger("scantrail.server")


class Rates:
    """The limits of one server.

    Args:
        per_second: Requests that one address may make, in the long run; 0 is no limit.
            A proxy on this machine is not limited, those behind it are.
    """

    def __init__(self, per_second: int) -> None:
        self._codes = Limiter(1 / WRONG_CODE_EVERY, WRONG_CODES)
        self._names = Limiter(1 / PASSWORD_EVERY, PASSWORDS)
        self._sign_ins = Limiter(1 / SIGN_IN_EVERY, SIGN_INS)
        self._refused = Limiter(1 / REFUSED_EVERY, REFUSED)
        self._copies = Limiter(1 / COPIED_EVERY, 1)
        self._requests = Limiter(per_second, per_second * 4) if per_second else None

    def admit(self, request: web.Request, now: int) -> None:
        """Let a request through.

        Raises:
            ProblemError: 429 where its address asks too often.
        """
        address = _address(request)
        if self._requests is not None and not _is_here(address):
            _refuse(self._requests.take(address, now), "Too many requests.")

    def admit_code(self, request: web.Request, now: int) -> None:
        """Let somebody try a code.

        Raises:
            ProblemError: 429 where his address has tried too many wrong ones.
        """
        wait = self._codes.wait(_address(request), now)
        _refuse(wait, "Too many wrong codes came from this address.")

    def admit_password(self, request: web.Request, name: str, now: int) -> None:
        """Let somebody try a password, and count it before it is looked at.

        Raises:
            ProblemError: 429 where too many were tried from his address, or by
                anybody for this name.
        """
        address, folded = _address(request), name.strip().casefold()
        wait = max(self._sign_ins.wait(address, now), self._names.wait(folded, now))
        _refuse(wait, "Too many passwords were tried.")
        self._sign_ins.take(address, now)
        self._names.take(folded, now)

    def admit_sign_in(self, request: web.Request, now: int) -> None:
        """Let somebody go to an identity provider, or come back from it.

        Raises:
            ProblemError: 429 where his address does so too often.
        """
        wait = self._sign_ins.take(_address(request), now)
        _refuse(wait, "Too many sign-ins came from this address.")

    def note_wrong_password(self, request: web.Request) -> None:
        """Tell the log whence a wrong password came; never what was typed."""
        _LOG.warning("a wrong password came from %s", ascii(_address(request)))

    def tells_copied(self, station: str, now: int) -> bool:
        """Whether it is time to tell again that a copy of this station came."""
        return self._copies.take(station, now) == 0

    def note_refused(self, request: web.Request, now: int) -> None:
        """Tell the log who was refused what, now and then; never by what secret."""
        address = _address(request)
        if self._refused.take(address, now) == 0:
            what = f"{request.method} {request.path[:200]}"
            _LOG.info("refused to %s: %s", ascii(address), ascii(what))

    def address(self, request: web.Request) -> str:
        """Return whence a request comes, for people."""
        return ascii(_address(request))[1:-1]

    def note_wrong_code(self, request: web.Request, now: int) -> None:
        """Count a wrong code against its address."""
        address = _address(request)
        self._codes.take(address, now)
        _LOG.warning("a wrong code was tried from %s", ascii(address))


def _address(request: web.Request) -> str:
    forwarded = request.headers.get("X-Forwarded-For", "")
    return client_address(request.remote or "", forwarded)


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == ""


def _refuse(wait: float, why: str) -> None:
    if wait > 0:
        seconds = math.ceil(wait)
        reason = f"{why} Try again in {seconds} s."
        raise ProblemError(429, ProblemType.BUSY, reason, retry_after=seconds)


RATES: web.AppKey[Rates] = web.AppKey("rates", Rates)
