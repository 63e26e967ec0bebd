"""What is wrong with the PostgreSQL database that the settings name."""

from collections.abc import Iterator
from pathlib import Path

from server.config import ServerConfig
from server.doctor.finding import Finding, fine, warning, wrong
from server.elsewhere import Elsewhere
from server.store.archive_files import ArchiveFile
from server.store.postgres.unusable import NothingYetError, UnusableError
from shared.errors import ConfigError, ScantrailError

__all__ = ["DatabaseSeen", "look"]

_LOCAL = frozenset({"off", "local"})


class DatabaseSeen:
    """What was found: ``findings``, the server's name, the files of archived lines.

    ``server`` is empty, and ``archived`` nothing, where that could not be read.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.server = ""
        self.archived: list[ArchiveFile] | None = None


def look(config: ServerConfig, data: Path) -> DatabaseSeen:
    """Look at the database as a server would at its start; change nothing."""
    seen, there = DatabaseSeen(), Elsewhere(config, data)
    try:
        seen.findings += _settings(there)
        kept = there.kept()
        seen.server, seen.archived = kept.server, kept.archived
    except NothingYetError as error:
        seen.findings.append(warning(error.what, error.do))
    except UnusableError as error:
        seen.findings.append(wrong(_usable(error), error.do))
    except ConfigError as error:
        do = "write the password into it, for the user who runs the server to read"
        seen.findings.append(wrong(f"[store] password_file: {error}", do))
    except ScantrailError as error:
        seen.findings.append(wrong(str(error), ""))
    return seen


def _usable(error: UnusableError) -> str:
    return f"the database of [store] url cannot be used: {error.what}"


def _settings(there: Elsewhere) -> Iterator[Finding]:
    found = there.settings()
    yield fine(
        f"PostgreSQL {found.version} answers; the database has {found.size >> 20} MiB"
    )
    for name in found.off:
        yield wrong(
            f"{name} is off on PostgreSQL: a power cut can destroy what was confirmed",
            f"set {name} = on in postgresql.conf, and restart PostgreSQL",
        )
    if found.commit in _LOCAL:
        yield fine(
            f"synchronous_commit is {found.commit} on PostgreSQL; servers turn it on "
            "for themselves"
        )
    if found.awaited:
        yield fine(f"a commit waits for standbys: {found.awaited}")
    elif found.standbys:
        yield warning(
            f"{found.standbys} standbys follow, and no commit waits for one: at a "
            "fail-over what they have not got is gone",
            "set synchronous_standby_names, or treat a fail-over as a restore",
        )
