"""What may be scanned, and what the rest of the program may rely on in any answer."""

from shared.carriers import ISSUERS
from shared.keys import LONGEST_TEXT, Key, Kind, Role, Site, SitePattern
from shared.patterns import compile_pattern

__all__ = ["BEGINNINGS", "GS1_LIKE", "IDENTIFIERS", "NAMING", "SITE", "is_whole"]

IDENTIFIERS = [
    f"]{code}{modifier}"
    for code in "ABCDEFGHIJKLMNOPQRSTUXYZcdehopsz"
    for modifier in "0123456A"
]
BEGINNINGS = [
    "",
    "P-",
    "X-",
    "00",
    "01",
    "0109521234543213",
    "010952123454321321",
    "8003",
    "8004",
    "401",
    "402",
    "414",
    "3100",
    "3929",
    "(01)",
    "(",
    "http://",
    "https://id.gs1.org/01/",
    "HTTPS://[",
    "1Z",
    "9400",
    "420",
]
GS1_LIKE = "0123456789AZaz()/?&=%.-\x1d\\^|]e"
SITE = Site(
    patterns=(SitePattern(compile_pattern("?{1,64}")),), carriers=frozenset(ISSUERS)
)
NAMING = {Kind.ITEM, Kind.LOCATION, Kind.OPERATOR, Kind.COMMAND}


def is_whole(key: Key, raw: str) -> bool:
    """Say whether a key is one that the rest of the program can rely on."""
    named = key.kind in NAMING
    return (
        len(key.text) <= LONGEST_TEXT
        and (key.kind is Kind.EMPTY or bool(key.text))
        and (not named or (key.text.isascii() and key.text.isprintable()))
        and (named or key.role is Role.UNSAID)
        and (key.kind is not Kind.REFUSED or bool(key.reason))
        and (key.kind is not Kind.UNKNOWN or key.text in raw or "\\" in raw)
    )
