"""Every page there is, and whom it admits."""

from server.api.guard import Access, Handler
from server.console import (
    acting,
    board,
    entry,
    find,
    floor,
    inbox,
    live,
    loads,
    reports,
    stations,
)

__all__ = ["ROUTES"]

ROUTES: tuple[tuple[str, str, Access, Handler], ...] = (
    ("GET", "/", Access.ANYBODY, entry.start),
    ("GET", "/assets/{version}/{name}", Access.ANYBODY, entry.asset),
    ("GET", "/sign-in", Access.ANYBODY, entry.sign_in_page),
    ("POST", "/sign-in", Access.ANYBODY, entry.sign_in),
    ("POST", "/sign-out", Access.READER, entry.sign_out),
    ("GET", "/live", Access.READER, live.live),
    ("GET", "/find", Access.READER, find.find),
    ("GET", "/items/{item}", Access.READER, find.item),
    ("GET", "/items/{item}/report", Access.READER, reports.report),
    ("POST", "/items/{item}/note", Access.OPERATOR, acting.note),
    ("POST", "/items/{item}/own", Access.OPERATOR, acting.own),
    ("POST", "/items/{item}/resolve", Access.SUPERVISOR, acting.settle),
    ("POST", "/items/{item}/want", Access.SUPERVISOR, acting.want),
    ("POST", "/items/{item}/unwant", Access.SUPERVISOR, acting.unwant),
    ("GET", "/places/{location}", Access.READER, find.place),
    ("GET", "/people/{operator}", Access.READER, find.person),
    ("GET", "/events/{event}", Access.READER, find.event),
    ("GET", "/exceptions", Access.READER, inbox.inbox),
    ("GET", "/exceptions/search-list", Access.READER, inbox.search_list),
    ("GET", "/board", Access.READER, board.board),
    ("GET", "/floor", Access.READER, floor.floor),
    ("GET", "/loads", Access.READER, loads.loads),
    ("GET", "/loads/{load}", Access.READER, loads.load),
    ("GET", "/loads/{load}/manifest", Access.READER, loads.manifest),
    ("GET", "/stations", Access.READER, stations.stations),
    ("GET", "/stations/{station}", Access.READER, stations.station),
    (
        "POST",
        "/stations/{station}/revoke",
        Access.ADMINISTRATOR,
        stations.revoke,
    ),
    ("GET", "/join", Access.ADMINISTRATOR, stations.join_page),
    ("POST", "/join", Access.ADMINISTRATOR, stations.invite),
    ("GET", "/joining/{station}", Access.READER, stations.joining),
)
