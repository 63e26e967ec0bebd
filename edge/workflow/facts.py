"""What the station knows, as far as a scan asks: the seam to its reference data."""

from typing import Protocol

from shared.reference import WantedItem

__all__ = ["NOTHING", "Facts"]


class Facts(Protocol):
    """What the server told the station, and what it has done itself since."""

    def wanted(self, item: str) -> WantedItem | None:
        """Return what is said of an item that every station looks out for."""

    def gone(self, item: str) -> bool:
        """Whether an item is known to have left the site, and not to be back."""

    def expected(self, container: str) -> tuple[str, ...] | None:
        """Return what the server expects in a container; ``None``: it did not say."""

    def contents(self, container: str) -> tuple[str, ...]:
        """Return what is in a container, not what is in that, as far as is known."""

    def inside(self, container: str) -> frozenset[str]:
        """Return all that is in a container, at any depth, as far as is known."""

    def told_at(self, container: str) -> int | None:
        """Return when the server said last what is in a container, or should be.

        In microseconds of this machine's wall clock; ``None``: it said nothing of it.
        """

    def place(self, location: str) -> str | None:
        """Return the kind of a place, empty where none is known.

        ``None``: the site keeps a list of its places, and this is not in it.
        """

    def badge(self, operator: str) -> bool:
        """Whether a badge is in the site's list; true where it keeps none."""


class _Nothing:
    def wanted(self, item: str) -> WantedItem | None:  # noqa: ARG002 - of any item
        return None

    def gone(self, item: str) -> bool:  # noqa: ARG002
        return False

    def expected(self, container: str) -> tuple[str, ...] | None:  # noqa: ARG002
        return None

    def contents(self, container: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def inside(self, container: str) -> frozenset[str]:  # noqa: ARG002
        return frozenset()

    def told_at(self, container: str) -> int | None:  # noqa: ARG002
        return None

    def place(self, location: str) -> str | None:  # noqa: ARG002
        return ""

    def badge(self, operator: str) -> bool:  # noqa: ARG002
        return True


NOTHING: Facts = _Nothing()
"""A station that was told nothing objects to nothing."""
