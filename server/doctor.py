"""``scantrail-server doctor``: what is wrong with a server, and what to do about it.

It looks and changes nothing, beside a server that runs or one that does not.
"""

import argparse
import asyncio
import os
import shutil
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import aiohttp
import msgspec

from server.backup import DATABASE, published
from server.certificate import Certificate
from server.config import ServerConfig, load
from server.keys import Key, Scope
from server.listening import certificate_of, is_loopback
from server.store.archive import archive_at
from server.store.audit import opened
from server.store.parquet import reader_missing
from server.storing import archived
from shared.advisories import affected
from shared.data_folders import ARCHIVE
from shared.errors import ScantrailError, StartError
from shared.fingerprint import digest
from shared.installed import installed
from shared.logfmt import quoted
from shared.moments import SECOND, to_moment

__all__ = ["Finding", "add_commands", "findings"]

_DAY = 86_400
_BACKUP_AGE = 2 * _DAY
_RENEW = 21 * _DAY
_ROOM = 2 << 30
_ROOM_WRONG = 256 << 20
_PATIENCE = aiohttp.ClientTimeout(total=10, sock_connect=5)
_READY = 200


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was seen. ``severity``: "fine", "warning" or "wrong"."""

    severity: str
    text: str
    do: str = ""


def _fine(text: str) -> Finding:
    return Finding(severity="fine", text=text)


def _warning(text: str, do: str) -> Finding:
    return Finding(severity="warning", text=text, do=do)


def _wrong(text: str, do: str) -> Finding:
    return Finding(severity="wrong", text=text, do=do)


def findings(config: ServerConfig, now: float) -> Iterator[Finding]:
    """Look at everything that a server needs; ``now`` is in seconds since 1970."""
    data = Path(config.data)
    if not data.is_dir():
        yield _wrong(
            f"the data folder {data} is not there",
            "correct data in the settings, mount its disk, or: scantrail-server init",
        )
        return
    yield from _folder(config, data)
    yield from _keys(data)
    yield from _backup(data, now)
    for sentence in affected(installed):
        yield _warning(sentence, "install the newer Scantrail package")
    certificate: Certificate | None = None
    try:
        # never make one here: a look changes nothing
        certificate = certificate_of(config, make_own=False)
    except StartError as error:
        yield _wrong(str(error), "correct [tls] in the settings")
        return
    yield from _encrypted(config, certificate, now)
    yield asyncio.run(_answer(config, certificate, _own_name(data)))


def _folder(config: ServerConfig, data: Path) -> Iterator[Finding]:
    owner, me = data.stat().st_uid, os.geteuid()
    if me not in {0, owner}:
        yield _warning(
            f"{data} belongs to user {owner}, and this is user {me}: not all is seen",
            "sudo -u scantrail-server scantrail-server doctor",
        )
    if data.stat().st_mode & 0o077:
        yield _wrong(
            f"{data} can be read by other users of this machine", f"chmod 700 {data}"
        )
    free = shutil.disk_usage(data).free
    room = f"{free >> 20} MiB are free where {data} is"
    if free < _ROOM_WRONG:
        yield _wrong(room, "make room: without it stations keep their lines and wait")
    elif free < _ROOM:
        yield _warning(room, "make room, before it is full")
    else:
        yield _fine(room)
    database = data / DATABASE
    if config.store.url:
        yield _fine("events are kept on PostgreSQL; /readyz says whether it answers")
    elif database.exists():
        yield _fine(f"{database} has {database.stat().st_size >> 20} MiB")
    else:
        yield _warning(f"there is no {database} yet", "start the server once")
        return
    yield from _archive(config, data)


def _archive(config: ServerConfig, data: Path) -> Iterator[Finding]:
    """Look for the files of archived lines; verify reads all that is in them."""
    try:
        known = archived(config.store, data)
    except ScantrailError as error:
        yield _warning(f"what is archived is not known: {error}", "see what it says")
        return
    missing = archive_at(data / ARCHIVE).missing(known)
    for text in missing:
        yield _wrong(text, "scantrail-server verify tells when all is there again")
    if known and (why := reader_missing()):
        yield _wrong(why, "install it where this program is, then restart the server")
    if known and not missing:
        lines = sum(file.lines for file in known)
        yield _fine(
            f"{len(known)} files of {data / ARCHIVE}, for {lines} lines, are there and "
            "as long as they were; whether they were changed, scantrail-server verify "
            "tells, which reads them"
        )


def _keys(data: Path) -> Iterator[Finding]:
    found = []
    for path in (data / "keys").glob("*.json"):
        with suppress(OSError, msgspec.DecodeError):
            found.append(msgspec.json.decode(path.read_bytes(), type=Key).scope)
    if Scope.ADMIN in found:
        yield _fine(f"{len(found)} keys, of these {found.count(Scope.ADMIN)} for all")
    else:
        yield _wrong(
            "no administrator's key can be read here",
            f"scantrail-server key --data {data} --scope admin",
        )


def _backup(data: Path, now: float) -> Iterator[Finding]:
    try:
        latest = published(data)
    except (ScantrailError, OSError) as error:
        yield _wrong(f"what was backed up cannot be read: {error}", "make a backup")
        return
    if latest is None:
        yield _warning(
            "there was never a backup; stations keep everything until there is one",
            "systemctl enable --now scantrail-backup.timer",
        )
        return
    age = now - to_moment(latest.made_at) / SECOND
    text = f"the latest checked backup is of {latest.made_at}"
    if age > _BACKUP_AGE:
        yield _warning(text, "see: systemctl status scantrail-backup.timer")
    else:
        yield _fine(text)


def _encrypted(
    config: ServerConfig, certificate: Certificate | None, now: float
) -> Iterator[Finding]:
    if certificate is None and config.tls.mode == "own":
        yield _warning("the server has no certificate yet", "start the server once")
    elif certificate is not None:
        left = certificate.until.timestamp() - now
        text = f"the certificate is good until {certificate.until.date()}"
        do = "renew it; the server takes the new files by itself"
        if left < 0:
            yield _wrong(text, do)
        else:
            yield _warning(text, do) if left < _RENEW else _fine(text)
    elif not is_loopback(config.host):
        yield _wrong(
            f"plain HTTP on {config.host}: everybody on the way can read tokens",
            'set [tls] mode = "own", or listen on 127.0.0.1 behind a proxy',
        )


def _own_name(data: Path) -> str:
    """Return what the server of this folder calls itself; empty where nobody says."""
    with suppress(ScantrailError, sqlite3.Error), opened(data / DATABASE) as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = 'server'")
        (name,) = row.fetchone() or ("",)
        return str(name)
    return ""


async def _answer(
    config: ServerConfig, certificate: Certificate | None, name: str
) -> Finding:
    """Ask the server itself, on this machine; another one may be there instead."""
    host = "127.0.0.1" if config.host in {"0.0.0.0", "::", ""} else config.host  # noqa: S104
    where = f"[{host}]" if ":" in host else host
    scheme = "https" if certificate else "http"
    server = f"{scheme}://{where}:{config.port}"
    url = f"{server}/readyz"
    pin: aiohttp.Fingerprint | ssl.SSLContext | bool = True
    if certificate is not None:
        pin = aiohttp.Fingerprint(digest(certificate.fingerprint))
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE) as session,
            session.get(url, ssl=pin, allow_redirects=False) as answer,
        ):
            text = (await answer.content.read(2000)).decode(errors="replace")
            async with session.get(
                f"{server}/healthz", ssl=pin, allow_redirects=False
            ) as alive:
                shown = _shown(await alive.content.read(2000))
            if name and shown != name:
                return _wrong(
                    f"another server answers at {server}: {quoted(shown)}, and this "
                    f"folder's is {name}",
                    "stop that one, or choose another port in the settings",
                )
            if answer.status == _READY:
                return _fine(f"{url} answers, and takes writes")
            return _wrong(
                f"{url} answers {answer.status}: {quoted(text)}", "see what it says"
            )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return _wrong(
            f"{url} does not answer: {str(error) or 'no answer in time'}",
            "systemctl status scantrail-server; journalctl -u scantrail-server",
        )


class _Alive(msgspec.Struct, kw_only=True):
    server: str = ""


def _shown(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Alive).server
    except (ValueError, RecursionError):
        return ""


# --- the command ----------------------------------------------------------------------


def _doctor(options: argparse.Namespace) -> None:
    given = {"data": options.data} if options.data else {}
    config = load(options.config, MappingProxyType(given))
    found = list(findings(config, time.time()))
    if options.json:
        print(msgspec.json.encode(found).decode())  # noqa: T201 # the result
    else:
        for finding in found:
            do = f"\n          -> {finding.do}" if finding.do else ""
            print(f"{finding.severity:<9} {finding.text}{do}")  # noqa: T201
    wrong = sum(finding.severity == "wrong" for finding in found)
    if wrong:
        reason = f"{wrong} things are wrong"
        raise StartError(reason)


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``doctor`` to the program's commands."""
    add = commands.add_parser(
        "doctor", help="say what is wrong with this server, and what to do about it"
    )
    add.add_argument("--config", type=Path, metavar="FILE", help="settings, in TOML")
    add.add_argument("--data", metavar="DIR", help="where everything is kept")
    add.add_argument("--json", action="store_true", help="for programs")
    add.set_defaults(run=_doctor)
