"""Log records as lines of logfmt: one record is one line, whatever is in it.

::

    level=warning logger=edge.sync msg="https://… cannot be reached: Connection refused"

What came from outside (a code, a header, an error's text) is data: quotes, line breaks
and what cannot be printed are written as escapes. A bearer key or token that got into
a text is cut short. Where the journal reads, it is told each line's level, too.
"""

import logging
import os
import re
import sys
from collections.abc import Mapping

__all__ = ["Logfmt", "begin", "quoted"]

_PRIORITIES = {
    logging.CRITICAL: 2,
    logging.ERROR: 3,
    logging.WARNING: 4,
    logging.INFO: 6,
    logging.DEBUG: 7,
}
"""The levels of syslog(3), which the journal takes from a prefix: sd-daemon(3)."""
_LONGEST = 8000  # characters of a field
_SECRET = re.compile(r"\b(s[tk]_)[A-Za-z0-9_-]{16,}")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """Write a text so that it is one field on one line, and nothing but shown."""
    safe = _SECRET.sub(r"\1…", text)
    if len(safe) > _LONGEST:
        safe = f"{safe[: _LONGEST // 2]}…{safe[-_LONGEST // 2 :]}"
    return f'"{"".join(map(_escaped, safe))}"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


class Logfmt(logging.Formatter):
    """Writes a record as one line.

    Args:
        journal: Put the level before it as the journal reads it.
    """

    def __init__(self, *, journal: bool = False) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = [
            f"level={record.levelname.lower()}",
            f"logger={record.name}",
            f"msg={quoted(record.getMessage())}",
        ]
        if record.exc_info:
            fields.append(f"error={quoted(self.formatException(record.exc_info))}")
        prefix = f"<{_PRIORITIES.get(record.levelno, 6)}>" if self._journal else ""
        return prefix + " ".join(fields)


def begin(level: int, environ: Mapping[str, str] = os.environ) -> None:
    """Log to standard error from now on, from a level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Logfmt(journal=_is_journal(environ)))
    logging.basicConfig(level=level, handlers=[handler])


def _is_journal(environ: Mapping[str, str]) -> bool:
    """Whether the journal reads standard error: systemd.exec(5), JOURNAL_STREAM."""
    try:
        found = os.fstat(2)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
