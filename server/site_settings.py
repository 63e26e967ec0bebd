"""A site's own actions, statuses, deadlines and next steps, as its file writes them.

The contract's actions keep their effects; a site may call what they lead to by its own
words, and add actions that are built of the same effects. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from server.site import Site
from shared.actions import ACTIONS, Action, Actions, Holder, Place, Stay
from shared.moments import SECOND

__all__ = ["ActionSettings", "SettingError", "site"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HOUR = 3600 * SECOND
_MOST_HOURS = 87_600

Status = Annotated[
    str, msgspec.Meta(pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]{0,38}\S)?$")
]
Need = Literal["item", "location", "container", "operator"]


class ActionSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """One action: what differs from the one that it is ``like``, or from a mere scan.

    Attributes:
        like: The action of the contract that this one is like; without it, a mere scan.
        status: What the item's status becomes.
        holder: "keeps", "takes" (the operator holds it) or "releases".
        containment: "keeps", "leaves", "looks" (stays if seen at its container's place)
            or "enters" (goes into ``container``).
        place: "seen", "back" or "gone".
        needs: The fields without which a line of it means nothing.
        empties: Everything leaves the item.
        handoff: What was taken has to be taken over in time.
    """

    like: str | None = None
    status: Status | None = None
    holder: Holder | None = None
    containment: Stay | None = None
    place: Place | None = None
    needs: tuple[Need, ...] | None = None
    empties: bool | None = None
    handoff: bool | None = None


class SettingError(Exception):
    """Where in the settings, and what is wrong there and what to do."""

    def __init__(self, path: tuple[str, ...], text: str) -> None:
        self.path = path
        self.text = text
        super().__init__(f"{'.'.join(path)}: {text}")


def site(
    *,
    handoff_minutes: int,
    actions: Mapping[str, ActionSettings],
    stale_hours: Mapping[str, float],
    next_steps: Mapping[str, tuple[str, ...]],
) -> Site:
    """Return a site's rules.

    Raises:
        SettingError: Something in them cannot be.
    """
    table = MappingProxyType({**ACTIONS, **dict(_table(actions))})
    _check_statuses("stale_hours", stale_hours, table)
    _check_statuses("next_steps", next_steps, table)
    for status, hours in stale_hours.items():
        if not 0 < hours <= _MOST_HOURS:
            text = f"hours, more than 0 and at most {_MOST_HOURS}"
            raise SettingError(("stale_hours", status), text)
    for status, following in next_steps.items():
        _check_steps(("next_steps", status), following, table)
    return Site(
        actions=table,
        handoff=handoff_minutes * 60 * SECOND,
        stale={status: int(hours * _HOUR) for status, hours in stale_hours.items()},
        follows={status: frozenset(names) for status, names in next_steps.items()},
    )


def _check_statuses(name: str, given: Iterable[str], table: Actions) -> None:
    known = {row.status for row in table.values()}
    known |= {row.finds for row in table.values()}
    for status in given:
        if status not in known:
            _refuse((name, status), "no action leads to this status", known)


def _check_steps(path: tuple[str, ...], given: Iterable[str], table: Actions) -> None:
    leading = {name for name, row in table.items() if row.status is not None}
    for name in given:
        if name not in leading:
            text = f"{name!r} is no action that leads to a status"
            _refuse(path, text, {*leading})


def _refuse(path: tuple[str, ...], text: str, known: set[str | None]) -> None:
    listed = ", ".join(sorted(filter(None, known)))
    raise SettingError(path, f"{text}; there are: {listed}")


def _table(actions: Mapping[str, ActionSettings]) -> Iterator[tuple[str, Action]]:
    for name, settings in actions.items():
        path = ("actions", name)
        if name in ACTIONS:
            yield name, _renamed(path, ACTIONS[name], settings)
        elif _NAME.fullmatch(name):
            yield name, _added(path, settings)
        else:
            text = "an action is called by up to 40 of a-z, 0-9 and _, a letter first"
            raise SettingError(path, text)


def _renamed(path: tuple[str, ...], row: Action, settings: ActionSettings) -> Action:
    changed = msgspec.structs.replace(settings, status=None)
    if changed != ActionSettings():
        text = (
            "only the status of the contract's actions can be changed; "
            "add an action of another name, and say which one it is like"
        )
        raise SettingError(path, text)
    if row.status is None and settings.status is not None:
        raise SettingError((*path, "status"), "this action leads to no status")
    return msgspec.structs.replace(row, status=settings.status or row.status)


def _added(path: tuple[str, ...], settings: ActionSettings) -> Action:
    row = Action()
    if settings.like is not None:
        row = _like((*path, "like"), settings.like, ACTIONS)
    fields = {
        "status": settings.status,
        "holder": settings.holder,
        "stay": settings.containment,
        "place": settings.place,
        "needs": settings.needs,
        "empties": settings.empties,
        "handoff": settings.handoff,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    row = msgspec.structs.replace(row, **given)
    _check(path, row)
    needs = ("item", "container") if row.stay is Stay.ENTERS else ("item",)
    missing = tuple(field for field in needs if field not in row.needs)
    return msgspec.structs.replace(
        row,
        needs=(*row.needs, *missing),
        shows_container=row.shows_container or row.stay is Stay.ENTERS,
    )


def _like(path: tuple[str, ...], name: str, table: Actions) -> Action:
    row = table.get(name)
    if row is None or not row.evidence or "items" in row.needs:
        scans = {n for n, r in table.items() if r.evidence and "items" not in r.needs}
        _refuse(path, f"{name!r} is no action that one can be like", {*scans})
    return row or Action()


def _check(path: tuple[str, ...], row: Action) -> None:
    """Refuse effects that do not go together."""
    if row.place is Place.UNSAID:
        raise SettingError(
            (*path, "place"), "every added action is a scan: seen, back or gone"
        )
    if row.place is Place.GONE and row.status is None:
        raise SettingError(path, "what is gone needs a status that says so")
    if row.handoff and row.holder is not Holder.TAKES:
        text = 'nobody takes it who could hand it over; add holder = "takes"'
        raise SettingError((*path, "handoff"), text)
