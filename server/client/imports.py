"""``scantrail-server import``: bring a host system's table, or see what it changes."""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from server.client.api import Client, path
from server.client.show import moment, plain, table
from shared.api.imports import ImportReport
from shared.errors import StartError

__all__ = ["KINDS", "add_import", "bring", "report"]

KINDS = {
    "locations": "location, name, kind, x, y, w, h, ended",
    "operators": "operator, name, ended",
    "loads": "load, name",
    "expect": "item, load",
    "claims": "item, status, title, as of, reason",
    "titles": "item, title",
    "wanted": "item, reason",
    "legacy": "id, status, last updated, title",
}
"""The kinds of tables, and their columns."""


def bring(options: argparse.Namespace) -> None:
    """Send the table, and print what it changed; or what it would, in a dry run."""
    file: Path = options.file
    try:
        data = file.read_bytes()
    except OSError as error:
        reason = f"{file} cannot be read: {error.strerror}"
        raise StartError(reason) from error
    json = file.suffix.lower() == ".json"
    query = {
        "dry_run": "true" if options.dry_run else "false",
        "encoding": options.encoding,
        "status": options.status,
    }

    async def ask() -> ImportReport:
        async with Client(options.server, options.key) as client:
            return await client.send(
                path("v1", "import", options.kind),
                data,
                "application/json" if json else "text/csv",
                ImportReport,
                query,
            )

    found = asyncio.run(ask())
    if options.json:
        text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    else:
        text = "\n".join(report(found))
    print(text)  # noqa: T201 # the result
    if found.errors:
        text = "nothing of this table would be imported before its rows are mended"
        print(f"scantrail-server: {text}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1)


def report(found: ImportReport) -> list[str]:
    """Write what an import did, or would do, for a terminal."""
    did = "would be" if found.dry_run else "are"
    said = (
        f"{found.rows} rows of {found.kind}: {found.new} {did} new, {found.changed} "
        f"{did} changed, {found.same} say what is known, {found.wrong} are wrong."
    )
    return [
        said,
        *(f"row {error.row}: {plain(error.text, 200)}" for error in found.errors),
        *_warnings(found),
        *_changes(found),
        *_contradictions(found),
    ]


def _warnings(found: ImportReport) -> list[str]:
    lines = [
        f"row {one.row}: warning: {plain(one.text, 300)}" for one in found.warnings
    ]
    unnamed = found.warned - len(found.warnings)
    return [*lines, *([f"and {unnamed} more warnings"] if unnamed else [])]


def _changes(found: ImportReport) -> list[str]:
    if not found.changes:
        return []
    rows = [
        (str(one.row), one.key, _cells(one.before), _cells(one.after))
        for one in found.changes
    ]
    return ["", *table(("Row", "Key", "Before", "Now"), rows)]


def _cells(values: dict[str, str] | None) -> str:
    if values is None:
        return "-"
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _contradictions(found: ImportReport) -> list[str]:
    if not found.contradicted:
        return []
    head = ("Row", "Item", "Claimed", "As of", "Scanned", "Since (UTC)", "Where")
    rows = [
        (
            str(one.row),
            one.item,
            one.claimed,
            one.as_of or "",
            one.scanned,
            moment(one.since),
            one.location or "",
        )
        for one in found.contradictions
    ]
    said = f"{found.contradicted} rows contradict the scans, which are believed:"
    return ["", said, *table(head, rows)]


def add_import(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``import``."""
    columns = "\n".join(f"  {kind:<10}  {names}" for kind, names in KINDS.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Bring a table of a host system. Its first row names the columns:\n\n"
        f"{columns}\n\n"
        "What it says already is left alone, so that the same table can be brought\n"
        "again. Either all of it is taken or, where a row is wrong, nothing."
    )
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help="what it holds")
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV, or JSON (.json)")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show what would change, only",
    )
    parser.add_argument(
        "--encoding",
        default="utf-8",
        choices=["utf-8", "utf-16", "cp1252", "latin-1"],
        help="of a CSV file (utf-8)",
    )
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        metavar="THEIRS=OURS",
        help="what a status of theirs is called here; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=bring)
