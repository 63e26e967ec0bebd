"""Which version of the project this is."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["VERSION"]


def _installed() -> str:
    try:
        return version("scantrail")
    except PackageNotFoundError:
        return "unknown"


VERSION = _installed()
"""As it was installed; ``unknown`` where it runs from a folder that never was."""
