"""What is installed beside this program."""

import logging
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from shared.advisories import affected

__all__ = ["installed", "warn_of_weaknesses"]


def installed(package: str) -> str | None:
    """Return a package's version; None where it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def warn_of_weaknesses(
    log: logging.Logger, found: Callable[[str], str | None] = installed
) -> None:
    """Tell the log of each package that should be replaced."""
    for sentence in affected(found):
        log.warning("%s", sentence)
