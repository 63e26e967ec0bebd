"""What is said of exceptions, in English: one table, which is written and read. Pure.

The interface gives these sentences as they are. The console reads the values back out
of one, and says the same in the language of its page.
"""

import re
from collections.abc import Mapping
from functools import cache
from string import Formatter
from types import MappingProxyType

__all__ = ["LONGEST", "SENTENCES", "read", "say", "scan"]

LONGEST = 3000
"""Characters of a sentence that is read back; a longer one stays as it is."""

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "seen_after_departure": "{item} had left the site, and was scanned {scan}.",
        "away_from_container": "{item} should be in {container}, and was seen {scan}.",
        "handoff_overdue": "{who} picked {item} on {time}, and nobody took it over"
        " within {span}.",
        "handoff_overdue_nobody": "Somebody without a badge picked {item} on {time},"
        " and nobody took it over within {span}.",
        "claim_contradicted": "Another system said on {time} that {item} is {claimed};"
        " its scans say {status}.",
        "claim_contradicted_unscanned": "Another system said on {time} that {item} is"
        " {claimed}; no scan says so.",
        "missed_in_count": "{item} was last seen at {place}, and a count there {scan}"
        " did not see it.",
        "missing_from_manifest": "{container} left on {time} without {item}, which"
        " should have been on it.",
        "loaded_after_departure": "{item} was put into {container} {scan}; {container}"
        " had already left the site.",
        "stale": "{item} is {status} since {time}: longer than {span}.",
        "unexpected_step": "{item} was {status}, and then came {action} {scan};"
        " expected was {actions}.",
        "unexpected_step_last": "{item} was {status}, and then came {action} {scan};"
        " expected was nothing more.",
        "silent": "Nothing was heard for more than {seconds} s; what it scanned since"
        " is not known here. See whether it runs, and its network.",
        "behind": "It has lines that it has not sent yet.",
        "behind_number": "It has {number} lines that it has not sent yet.",
        "clock_wrong_ahead": "Its clock is {seconds} s ahead; times are corrected"
        " here. See its time service (timedatectl).",
        "clock_wrong_behind": "Its clock is {seconds} s behind; times are corrected"
        " here. See its time service (timedatectl).",
        "damaged_reads": "{device}: {damaged} of {number} reads of the last hour were"
        " damaged. See its cable and its settings (scantrail-station doctor).",
        "scanner_missing": "{device}: {problem}.",
        "scanner_missing_unplugged": "{device}: it is not connected.",
        "quarantined_lines": "{number} of its lines cannot be understood here. They"
        " are kept, and read again after an upgrade of the server.",
        "fork": "Two histories met in log {log} at line {seq}: a copied card, or an old"
        " outbox that was put back. Both are kept; see if two machines are this"
        " station.",
        "rollback": "It and this server do not agree how far log {log} goes (here:"
        " {seq}): one of them was restored from a backup. What was lacking is sent"
        " again.",
        "copied": "Somebody at {address} showed a token of it that was replaced: there"
        " is a copy of its disk, or an old one was put back. Both keep what they scan."
        " Find the machine; whichever is the station joins again, with a new code.",
        "displaced": "Another machine joined under its name. The one before, {address},"
        " is refused since, and keeps what it scans. Where it is to go on, let it join"
        " with a code for a name of its own; then it sends the rest.",
    }
)
"""Each by the code of its exception; what stands behind the code tells two apart."""

_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
_FORMS = {
    "time": _TIME,
    "scan": rf"(?:at .+? )?on {_TIME}(?: by .+?)?",
    "span": r"\d+ (?:minutes?|hours?)",
    "seconds": r"\d+",
    "number": r"\d+",
    "damaged": r"\d+",
    "seq": r"\d+",
}
"""How values look whose look is known."""
_SCAN = re.compile(
    rf"(?:at (?P<place>.+?) )?on (?P<time>{_TIME})(?: by (?P<who>.+))?", re.DOTALL
)


def say(name: str, **values: object) -> str:
    """Return a sentence with its values."""
    return SENTENCES[name].format(**values)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """Return what a sentence looks like, whatever its values are."""
    parts, known = [], set[str]()
    for text, value, _, _ in Formatter().parse(SENTENCES[name]):
        parts.append(re.escape(text))
        if value is not None:
            again = value in known
            known.add(value)
            look = _FORMS.get(value, ".+?")
            parts.append(f"(?P={value})" if again else f"(?P<{value}>{look})")
    return re.compile("".join(parts), re.DOTALL)


def read(code: str, text: str) -> tuple[str, dict[str, str]] | None:
    """Read a sentence back: which it is, and its values; ``None`` where it is none.

    Args:
        code: Of the exception that it speaks of.
        text: The sentence.
    """
    if len(text) > LONGEST:
        return None
    names = [n for n in SENTENCES if n == code or n.startswith(f"{code}_")]
    for name in sorted(names, key=len, reverse=True):
        found = _pattern(name).fullmatch(text)
        if found is not None:
            return name, found.groupdict()
    return None


def scan(text: str) -> dict[str, str]:
    """Take the value ``scan`` apart: ``time``, and ``place`` and ``who`` where said."""
    found = _SCAN.fullmatch(text)
    parts = {} if found is None else found.groupdict()
    return {name: value for name, value in parts.items() if value is not None}
