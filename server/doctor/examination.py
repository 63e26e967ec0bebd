"""Looking at everything that a server needs, one after the other."""

import argparse
import asyncio
import os
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from server.backup import DATABASE, published
from server.certificate import Certificate
from server.config import ServerConfig, load
from server.doctor.answering import answer, own_name
from server.doctor.database import look
from server.doctor.finding import Finding, fine, has_unit, warning, wrong
from server.keys import Key, Scope
from server.listening import certificate_of, is_loopback
from server.store.archive import archive_at
from server.store.archive_files import ArchiveFile
from server.store.archived import files
from server.store.audit import opened
from server.store.whereabouts import MovedError, half
from server.storing import left_behind
from shared.advisories import affected
from shared.data_folders import ARCHIVE
from shared.errors import ScantrailError, StartError
from shared.installed import installed
from shared.moments import SECOND, to_moment

__all__ = ["add_commands", "findings"]

_DAY = 86_400
_BACKUP_AGE = 2 * _DAY
_RENEW = 21 * _DAY
_ROOM = 2 << 30
_ROOM_WRONG = 256 << 20


def findings(config: ServerConfig, now: float) -> Iterator[Finding]:
    """Look at everything that a server needs; ``now`` is in seconds since 1970."""
    data = Path(config.data)
    if not data.is_dir():
        yield wrong(
            f"the data folder {data} is not there",
            "correct data in the settings, mount its disk, or: scantrail-server init",
        )
        return
    yield from _folder(data)
    name, archived = "", None
    if config.store.url:
        seen = look(config, data)
        yield from seen.findings
        if text := left_behind(data, seen.server):
            yield wrong(text, "docs/scaling.md, From the file to PostgreSQL, and back")
        name, archived = seen.server, seen.archived
    else:
        name = own_name(data)
        archived = yield from _file(data)
    if archived is not None:
        yield from _archive(data, archived)
    yield from _keys(data)
    yield from _backup(config, data, now)
    for sentence in affected(installed):
        yield warning(sentence, "install the newer Scantrail package")
    certificate: Certificate | None = None
    try:
        # never make one here: a look changes nothing
        certificate = certificate_of(config, make_own=False)
    except StartError as error:
        yield wrong(str(error), "correct [tls] in the settings")
        return
    yield from _encrypted(config, certificate, now)
    yield asyncio.run(answer(config, certificate, name))


def _folder(data: Path) -> Iterator[Finding]:
    owner, me = data.stat().st_uid, os.geteuid()
    if me not in {0, owner}:
        yield warning(
            f"{data} belongs to user {owner}, and this is user {me}: not all is seen",
            f"run it as that user: sudo -u '#{owner}' scantrail-server doctor …",
        )
    if data.stat().st_mode & 0o077:
        yield wrong(
            f"{data} can be read by other users of this machine", f"chmod 700 {data}"
        )
    free = shutil.disk_usage(data).free
    room = f"{free >> 20} MiB are free where {data} is"
    if free < _ROOM_WRONG:
        yield wrong(room, "make room: without it stations keep their lines and wait")
    elif free < _ROOM:
        yield warning(room, "make room, before it is full")
    else:
        yield fine(room)


def _file(
    data: Path,
) -> Generator[Finding, None, list[ArchiveFile] | None]:
    """Look at the database in the folder; return the files of archived lines."""
    database = data / DATABASE
    if not database.exists() and not half(database).exists():
        yield warning(f"there is no {database} yet", "start the server once")
        return None
    try:
        with opened(database) as connection:
            yield fine(f"{database} has {database.stat().st_size >> 20} MiB")
            return files(connection)
    except MovedError as error:
        yield wrong(str(error), "name the settings of where they are with --config")
        return None
    except ScantrailError as error:
        yield warning(f"what is archived is not known: {error}", "see what it says")
        return None


def _archive(data: Path, known: Sequence[ArchiveFile]) -> Iterator[Finding]:
    """Look for the files of archived lines; verify reads all that is in them."""
    missing = archive_at(data / ARCHIVE).missing(known)
    for text in missing:
        yield wrong(text, "scantrail-server verify tells when all is there again")
    if known and not missing:
        lines = sum(file.lines for file in known)
        yield fine(
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
        yield fine(f"{len(found)} keys, of these {found.count(Scope.ADMIN)} for all")
    else:
        yield wrong(
            "no administrator's key can be read here",
            f"scantrail-server key --data {data} --scope admin",
        )


def _backup(config: ServerConfig, data: Path, now: float) -> Iterator[Finding]:
    try:
        latest = published(data)
    except (ScantrailError, OSError) as error:
        yield wrong(f"what was backed up cannot be read: {error}", "make a backup")
        return
    if latest is None:
        yield warning(
            "there was never a backup; stations keep everything until there is one",
            _by_timer(config, data, "systemctl enable --now scantrail-backup.timer"),
        )
        return
    age = now - to_moment(latest.made_at) / SECOND
    text = f"the latest checked backup is of {latest.made_at}"
    if age > _BACKUP_AGE:
        do = "see: systemctl status scantrail-backup.timer"
        yield warning(text, _by_timer(config, data, do))
    else:
        yield fine(text)


def _by_timer(config: ServerConfig, data: Path, do: str) -> str:
    """Say how a backup is made: by the timer, where that is installed."""
    if not has_unit("scantrail-backup.timer"):
        named = "--config FILE " if config.store.url else ""
        return f"scantrail-server backup {named}--data {data} --to FOLDER, every night"
    more = " (with a drop-in for PostgreSQL: docs/backup.md)"
    return do + (more if config.store.url else "")


def _encrypted(
    config: ServerConfig, certificate: Certificate | None, now: float
) -> Iterator[Finding]:
    if certificate is None and config.tls.mode == "own":
        yield warning("the server has no certificate yet", "start the server once")
    elif certificate is not None:
        left = certificate.until.timestamp() - now
        text = f"the certificate is good until {certificate.until.date()}"
        do = "renew it; the server takes the new files by itself"
        if left < 0:
            yield wrong(text, do)
        else:
            yield warning(text, do) if left < _RENEW else fine(text)
    elif not is_loopback(config.host):
        yield wrong(
            f"plain HTTP on {config.host}: everybody on the way can read tokens",
            'set [tls] mode = "own", or listen on 127.0.0.1 behind a proxy',
        )


# --- the command ----------------------------------------------------------------------


def _doctor(options: argparse.Namespace) -> None:
    given = {"data": options.data, "host": options.host, "port": options.port}
    config = load(options.config, {k: v for k, v in given.items() if v is not None})
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
    add.add_argument("--host", metavar="H", help="where the server listens")
    add.add_argument(
        "--port", type=int, metavar="N", help="the port of the server, as for serve"
    )
    add.add_argument("--json", action="store_true", help="for programs")
    add.set_defaults(run=_doctor)
