"""The console: pages for people, written by the server, at the same address.

Every page is made here, from what `server.store` and the pure modules answer; a browser
needs no script to read one. ``texts/`` has the words, a file a language.
"""

from server.console.chores import CHORES, Chores
from server.console.entry import HASHING, Hashing
from server.console.rendering import CONSOLE, Console, asked_for_page, problem_page
from server.console.routes import ROUTES
from server.console.tallies import TALLIES, Tallies
from server.console.workshop import WORKSHOP, Workshop

__all__ = [
    "CHORES",
    "CONSOLE",
    "HASHING",
    "ROUTES",
    "TALLIES",
    "WORKSHOP",
    "Chores",
    "Console",
    "Hashing",
    "Tallies",
    "Workshop",
    "asked_for_page",
    "problem_page",
]
