"""``scantrail-server`` backup, restore, drill, restored, verify: for administrators."""

import argparse
import asyncio
import shutil
import sys
from functools import partial
from pathlib import Path

import msgspec

from server import backup
from server.backup import BackupError, Manifest
from server.config import load
from server.drill import drill
from server.elsewhere import Elsewhere, kept_elsewhere
from server.now import now
from server.store import is_own
from server.store.again import differences
from server.store.audit import Report, opened, report
from server.store.backups import Restored, restored
from server.store.whereabouts import must_be_whole
from server.verify import Finding, Kind, worst
from shared.moments import to_text

__all__ = ["add_commands"]


def _say(text: str) -> None:
    print(text)  # noqa: T201 # the result


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 # for the person


def _backed_up(
    options: argparse.Namespace, elsewhere: Elsewhere | None
) -> tuple[Path, Manifest]:
    copy = None if elsewhere is None else partial(elsewhere.copy, backups=options.to)
    return backup.make(options.data, options.to, now(), copy)


def _backup(options: argparse.Namespace) -> None:
    elsewhere = kept_elsewhere(options.config, options.data)
    folder, manifest = _backed_up(options, elsewhere)
    _note(
        f"checked: {manifest.lines} lines of {len(manifest.acked)} logs; "
        "stations are told at their next exchange"
    )
    _say(str(folder))
    for old in backup.drop_old(options.to, options.keep) if options.keep else ():
        _note(f"removed: {old}")


def _restore(options: argparse.Namespace) -> None:
    manifest = backup.restore(options.backup, options.data, now())
    _say(
        f"{options.data} holds the backup of {manifest.made_at}: {manifest.lines} "
        f"lines of {len(manifest.acked)} logs, as a new epoch."
    )
    _note(
        "Start the server. Each station sends again by itself what came later; "
        "scantrail-server restored shows how far they are."
    )


def _upgrade_check(options: argparse.Namespace) -> None:
    """See that an upgrade can be gone back from: a checked copy, and room."""
    elsewhere = kept_elsewhere(options.config, options.data)
    if elsewhere is None:
        _must_have_room(options.data)
    folder, manifest = _backed_up(options, elsewhere)
    marks = {manifest.deliveries: manifest.seal}
    found = _report(options.data / backup.DATABASE, elsewhere, marks)
    if found.findings:
        reason = f"{len(found.findings)} findings; see scantrail-server verify first"
        raise BackupError(reason)
    _say(f"ready: {folder} holds {manifest.lines} lines, checked, as of now")
    if elsewhere is not None:
        _note(
            f"the database takes {elsewhere.size() >> 20} MiB: where answers are made "
            "anew, its disk may need as much again"
        )
    into = "" if elsewhere is None else ", migrate-store --to postgresql into a new one"
    _note(
        "Upgrade the server, then the stations. The way back: install the version from "
        f"before; where it says that the database is newer, scantrail-server restore "
        f"{folder} --data NEW-FOLDER{into}, and serve that. Stations send again what "
        "came later"
    )


def _must_have_room(data: Path) -> None:
    database = data / backup.DATABASE
    must_be_whole(database)
    try:
        size, free = database.stat().st_size, shutil.disk_usage(data).free
    except OSError as error:
        reason = f"{database}: {error.strerror}; is --data the server's folder?"
        raise BackupError(reason) from error
    if free < size:
        reason = (
            f"{free >> 20} MiB are free, and {database} has {size >> 20}: answers that "
            "are made anew may need as much again. Make room first"
        )
        raise BackupError(reason)


def _verify(options: argparse.Namespace) -> None:
    marks = {}
    for folder in options.against:
        manifest = backup.read(folder)
        marks[manifest.deliveries] = manifest.seal
    marks.pop(0, None)
    path, elsewhere = (
        options.data / backup.DATABASE,
        kept_elsewhere(options.config, options.data),
    )
    found = _report(path, elsewhere, marks)
    if options.answers and not found.findings:
        more = _differences(path, elsewhere, options.config)
        found = msgspec.structs.replace(found, findings=more)
    if options.json:
        _say(msgspec.json.encode(found).decode())
    else:
        _show(found)
    if found.findings:
        reason = f"{len(found.findings)} findings: {_WHAT_TO_DO[worst(found.findings)]}"
        raise BackupError(reason)


_WHAT_TO_DO = {
    Kind.ALTERED: (
        "what is kept is not what was received. Keep the file as it is; restore a "
        "backup from before, and stations send again what came later"
    ),
    Kind.FILE: (
        "files of archived lines are not as they were written; nothing else that was "
        "looked at was altered. Keep them apart, copy those of the same names from a "
        "backup, and verify again"
    ),
    Kind.UNREAD: (
        "not all of it can be looked at; nothing that was looked at was altered. Do "
        "what is said of each, and verify again"
    ),
}


def _report(path: Path, elsewhere: Elsewhere | None, marks: dict[int, str]) -> Report:
    if elsewhere is not None:
        return elsewhere.report(marks)
    with opened(path) as connection:
        return report(connection, marks)


def _differences(
    path: Path, elsewhere: Elsewhere | None, config: Path | None
) -> list[Finding]:
    if elsewhere is not None:
        return elsewhere.differences()
    return asyncio.run(differences(path, load(config, {}).site(), now))


def _drill(options: argparse.Namespace) -> None:
    known = backup.published(options.data)
    folder = options.backup or (Path(known.folder) if known and known.folder else None)
    if folder is None:
        reason = (
            f"no backup of {options.data} is known; make one (scantrail-server "
            "backup), or name its folder"
        )
        raise BackupError(reason)
    _say(f"the backup {folder}")
    found = drill(folder, options.data, now())
    _say(f"restored to a folder of its own: {found.lines} lines of {found.logs} logs")
    _say("every chain, signature and seal in it is as it was received")


def _show(found: Report) -> None:
    _say(
        f"{found.lines} lines of {found.logs} logs in {found.deliveries} deliveries; "
        f"last seal {found.seal[:16] or 'none'}"
    )
    for finding in found.findings:
        where = f"log {finding.log}" if finding.log else _WHERE[finding.kind]
        line = f" line {finding.seq}" if finding.seq else ""
        _say(f"{where}{line}: {finding.text}")
    if not found.findings:
        _say("every chain, signature and seal is as it was received")


_WHERE = {
    Kind.ALTERED: "the database",
    Kind.FILE: "the archive",
    Kind.UNREAD: "the archive",
}


def _restored(options: argparse.Namespace) -> None:
    rows = _all_restored(options)
    if options.json:
        _say(msgspec.json.encode(rows).decode())
        return
    if not rows:
        _say("this server was never restored from a backup")
    for row in rows:
        _say(
            f"{to_text(row.at)[:19]}  {row.station:<16}  log {row.log[:8]}  {_of(row)}"
        )


def _all_restored(options: argparse.Namespace) -> list[Restored]:
    elsewhere = kept_elsewhere(options.config, options.data)
    if elsewhere is not None:
        return elsewhere.restored()
    with opened(options.data / backup.DATABASE) as connection:
        return restored(connection)


def _of(row: Restored) -> str:
    """Say what became of a log after a restore."""
    if is_own(row.station):
        return "what was entered at the server since the backup has to be entered again"
    if row.missing:
        return f"lines {row.has + 1} to {row.told} are still missing"
    if row.told is not None:
        return f"lines {row.had + 1} to {row.told} were sent again"
    if not row.heard:
        return f"not heard from since; the backup held {row.had} lines"
    return f"nothing was missing; the backup held {row.had} lines"


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add the commands to the program's."""
    add = commands.add_parser(
        "backup", help="copy everything, check the copy, and tell the stations"
    )
    _data(add)
    add.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="the folder of backups"
    )
    add.add_argument(
        "--keep", type=int, default=0, metavar="N", help="remove all but the newest N"
    )
    _config(add)
    add.set_defaults(run=_backup)

    add = commands.add_parser(
        "upgrade-check",
        help="before an upgrade: see that there is a way back, and make it",
    )
    _data(add)
    add.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="the folder of backups"
    )
    _config(add)
    add.set_defaults(run=_upgrade_check)

    add = commands.add_parser(
        "restore", help="put a backup into an empty data folder; stations add the rest"
    )
    add.add_argument("backup", type=Path, metavar="BACKUP", help="one backup's folder")
    _data(add)
    add.set_defaults(run=_restore)

    add = commands.add_parser(
        "verify", help="check that everything received is still there, unchanged"
    )
    _data(add)
    add.add_argument(
        "--against",
        type=Path,
        action="append",
        default=[],
        metavar="BACKUP",
        help="compare with the seal of a backup, too; may be repeated",
    )
    add.add_argument(
        "--answers",
        action="store_true",
        help="make all answers anew, beside those that are kept, and compare them, too",
    )
    _config(add)
    add.add_argument("--json", action="store_true", help="for programs")
    add.set_defaults(run=_verify)

    add = commands.add_parser(
        "drill", help="try a restore beside the running server, and check what it gives"
    )
    add.add_argument(
        "backup",
        type=Path,
        nargs="?",
        metavar="BACKUP",
        help="one backup's folder (the last one that was made)",
    )
    _data(add)
    add.set_defaults(run=_drill)

    add = commands.add_parser(
        "restored", help="say what stations have sent again after a restore"
    )
    _data(add)
    _config(add)
    add.add_argument("--json", action="store_true", help="for programs")
    add.set_defaults(run=_restored)


def _data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="the server's data folder",
    )


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the server's settings; needed where [store] url names a database",
    )
