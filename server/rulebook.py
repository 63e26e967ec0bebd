"""The rules' tables in Markdown, as they stand in ``docs/resolution.md``.

``python -m server.rulebook FILE`` writes them there anew.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from server.findings import EXCEPTIONS
from server.site import DEFAULT, Site
from shared.actions import Action, Holder, Place, Stay

__all__ = ["actions_table", "exceptions_table", "written_into"]

_HOLDER = {
    Holder.KEEPS: "",
    Holder.TAKES: "operator",
    Holder.RELEASES: "released",
}
_STAY = {
    Stay.KEEPS: "",
    Stay.LEAVES: "leaves its container",
    Stay.LOOKS: "stays if seen at its container's place, else leaves",
    Stay.ENTERS: "goes into `container`",
}
_PLACE = {
    Place.UNSAID: "no evidence",
    Place.SEEN: "",
    Place.BACK: "comes back",
    Place.GONE: "is gone, with all that is in it",
}


def _notes(action: Action) -> Iterator[str]:
    yield _PLACE[action.place]
    if action.finds is not None:
        yield f"`{action.finds}` where it ends a stay, or finds what had gone"
    if action.empties:
        yield "everything leaves the item, at that place"
    if action.shows_container:
        yield "shows where the container was"
    if action.handoff:
        yield "has to be taken over in time"
    if action.restarts:
        yield "settles that it was seen after it had gone"


def actions_table(site: Site = DEFAULT) -> str:
    """Write the table of actions."""
    rows = [
        (
            f"`{name}`",
            action.status or "",
            _HOLDER[action.holder],
            _STAY[action.stay],
            "; ".join(filter(None, _notes(action))),
            ", ".join(f"`{field}`" for field in action.needs),
        )
        for name, action in site.actions.items()
    ]
    return _table(
        ("action", "status", "holder", "containment", "otherwise", "needs"), rows
    )


def exceptions_table() -> str:
    """Write when each exception opens and closes."""
    rows = [
        (f"`{code}`", kind.opens, f"{kind.closes}, `resolve`")
        for code, kind in EXCEPTIONS.items()
    ]
    return _table(("code", "open", "closes"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---" for _ in heads], *rows]
    return "".join(f"| {' | '.join(cells)} |\n".replace("  ", " ") for cells in lines)


def written_into(document: str) -> str:
    """Return a document with its tables written anew, each between its marks."""
    return _put(
        _put(document, "actions", actions_table()), "exceptions", exceptions_table()
    )


def _put(document: str, name: str, table: str) -> str:
    begin, end = f"<!-- {name}, from the code -->\n", "<!-- end -->"
    before, _, rest = document.partition(begin)
    _, found, after = rest.partition(end)
    return before + begin + table + end + after if found else document


def _main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(written_into(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    _main()
