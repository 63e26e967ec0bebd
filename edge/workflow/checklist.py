"""A list of what should be in a container, and what of it was scanned: a value."""

import msgspec

__all__ = ["Checklist"]

_FOREIGN = 200
"""What a list keeps, at most, of that which it does not expect, or had twice."""


class Checklist(msgspec.Struct, frozen=True, kw_only=True):
    """What should be in a container, and what of it was scanned.

    ``expected`` is ``None`` where it is not known here. ``scanned`` are those of it
    that were; ``foreign`` are those that were and should not be there; ``repeated``
    were scanned more than once. ``asked``: a reason is due for what is missing.
    """

    container: str
    expected: tuple[str, ...] | None
    scanned: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    asked: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """What is expected and was not scanned."""
        there = frozenset(self.scanned)
        return tuple(item for item in self.expected or () if item not in there)

    @property
    def begun(self) -> bool:
        """Whether items were scanned one by one, and some of them are missing."""
        return bool(self.scanned or self.foreign) and bool(self.missing)

    def expects(self, item: str) -> bool:
        """Whether an item should be there."""
        return self.expected is not None and item in self.expected

    def has(self, item: str) -> bool:
        """Whether the list has had this scan already."""
        return item == self.container or item in self.scanned or item in self.foreign

    def with_item(self, item: str) -> "Checklist":
        """Return the list with an item scanned."""
        if self.expected is None or self.expects(item):
            more = self.scanned if item in self.scanned else (*self.scanned, item)
            return msgspec.structs.replace(self, scanned=more, asked=False)
        foreign = (item, *(other for other in self.foreign if other != item))
        return msgspec.structs.replace(self, foreign=foreign[:_FOREIGN], asked=False)

    def with_repeat(self, item: str) -> "Checklist":
        """Return the list with an item scanned once more."""
        repeated = (item, *(other for other in self.repeated if other != item))
        return msgspec.structs.replace(self, repeated=repeated[:_FOREIGN])
