"""``scantrail-server person``: who may sign in at the console."""

import argparse
import getpass
import sys

from server.data_folder import data_folder
from server.noted import note_act
from server.now import now
from server.people import LEAST, MOST, PasswordError, People, Person, Role
from shared.moments import to_text

__all__ = ["PEOPLE", "add_commands"]

PEOPLE = "people"
"""The folder in the data folder."""


def _people(options: argparse.Namespace) -> People:
    return People(data_folder(options.data) / PEOPLE)


def _password() -> str:
    """Read a password from the terminal, twice, or the first line of a pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(MOST + 2).rstrip("\r\n")
    try:
        first = getpass.getpass(f"Password ({LEAST} to {MOST} characters): ")
        again = getpass.getpass("The same again: ")
    except (EOFError, KeyboardInterrupt):
        reason = "no password was given; nothing was changed"
        raise PasswordError(reason) from None
    if again != first:
        reason = "the two passwords differ; nothing was changed"
        raise PasswordError(reason)
    return first


def add(options: argparse.Namespace) -> None:
    """Add a person, or set password and role of one who is there."""
    role, added = Role(options.role), to_text(now())
    person = _people(options).put(options.name, role, _password(), added)
    _note(options, f"person added or set anew: {person.name} as {role.value}")
    _say(f"{person.name} signs in as {role.value}. Earlier sessions have ended.")
    if not any(data_folder(options.data).glob("own-log*.json")):
        _say(f"No server has started in {options.data} yet: see that it is its folder.")


def password(options: argparse.Namespace) -> None:
    """Set another password of one who is there."""
    people = _people(options)
    person = _known(people, options.name)
    people.put(person.name, person.role, _password(), to_text(now()))
    _note(options, f"password of {person.name} set anew")
    _say(f"{person.name} has another password. Earlier sessions have ended.")


def no_second_factor(options: argparse.Namespace) -> None:
    """Take away the second factor of one who lost it."""
    people = _people(options)
    person = _known(people, options.name)
    people.set_second(person.name, "", (), 0, to_text(now()))
    _note(options, f"second factor of {person.name} removed")
    _say(
        f"{person.name} signs in with the password alone. Earlier sessions have ended."
    )


def _known(people: People, name: str) -> Person:
    person = people.find(name)
    if person is None:
        reason = f"there is nobody called {name!r} here"
        raise PasswordError(reason)
    return person


def remove(options: argparse.Namespace) -> None:
    """Take a person away."""
    if not _people(options).remove(options.name):
        reason = f"there is nobody called {options.name!r} here"
        raise PasswordError(reason)
    _note(options, f"person removed: {options.name}")
    _say(f"{options.name} no longer signs in. What was done by that name stays.")


def show(options: argparse.Namespace) -> None:
    """List everybody."""
    for person in _people(options).all():
        print(f"{person.role.value}\t{person.name}")  # noqa: T201 # the result


def _note(options: argparse.Namespace, text: str) -> None:
    note_act(data_folder(options.data), text, to_text(now()))


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``person`` with what it does."""
    person = commands.add_parser("person", help="who may sign in at the console")
    acts = person.add_subparsers(required=True, metavar="ACT")
    parser = acts.add_parser(
        "add",
        help="add, or set anew; the password comes from the terminal or a pipe",
        description="Add a person, or set password and role of one who is there. At a "
        f"terminal it asks for the password ({LEAST} to {MOST} characters), twice; "
        "else the password is the first line of standard input, as from a pipe.",
    )
    parser.add_argument("name", metavar="NAME", help="the name that is signed in with")
    parser.add_argument(
        "--role",
        required=True,
        choices=[role.value for role in Role],
        help="what the person may do",
    )
    parser.set_defaults(run=add)
    _of_data(parser)
    parser = acts.add_parser("remove", help="take a person away")
    parser.add_argument("name", metavar="NAME", help="who")
    parser.set_defaults(run=remove)
    _of_data(parser)
    for name, does, what in (
        ("password", password, "set another password, from the terminal or a pipe"),
        ("no-second-factor", no_second_factor, "take away a second factor: it is lost"),
    ):
        parser = acts.add_parser(name, help=what)
        parser.add_argument("name", metavar="NAME", help="who")
        parser.set_defaults(run=does)
        _of_data(parser)
    parser = acts.add_parser("list", help="print role and name of everybody")
    parser.set_defaults(run=show)
    _of_data(parser)


def _of_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", required=True, metavar="DIR", help="the server's folder"
    )
