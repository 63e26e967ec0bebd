"""Versions of what this rests on that are known to be dangerous, and what mends them.

`make audit` asks the public lists of advisories whenever it runs; this table is what
was known when this version was made, and works without a network. Pure: who asks says
what is installed.
"""

from collections.abc import Callable, Iterator

import msgspec

__all__ = ["KNOWN", "Advisory", "affected"]


class Advisory(msgspec.Struct, frozen=True):
    """Versions of a package below ``fixed`` have what ``what`` says."""

    package: str
    fixed: str
    what: str


KNOWN = (
    Advisory("aiohttp", "3.14.3", "CVE-2026-69244, CVE-2026-69243 and older ones"),
    Advisory("cryptography", "50.0.0", "CVE-2026-69247"),
    Advisory("jinja2", "3.1.6", "CVE-2025-27516"),
)


def affected(installed: Callable[[str], str | None]) -> Iterator[str]:
    """Yield a sentence for each package that should be replaced.

    Args:
        installed: Returns a package's version, or None where it is not there.
    """
    for one in KNOWN:
        version = installed(one.package)
        if version is not None and _parts(version) < _parts(one.fixed):
            yield (
                f"{one.package} {version} is installed, which has known weaknesses "
                f"({one.what}): install {one.fixed} or newer"
            )


def _parts(version: str) -> tuple[int, ...]:
    """Return the numbers of a version; of a pre-release, those before it."""
    numbers = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    while numbers and not numbers[-1]:  # 50 is 50.0.0
        numbers.pop()
    return tuple(numbers)
