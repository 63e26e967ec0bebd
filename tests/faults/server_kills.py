"""The real server, killed again and again after 1 to 500 ms, also while it starts.

Two stations send all the while, some lines once more than needed; now and then a backup
is under way, and is killed as well. The server is forked from this process, which has
all modules loaded, so that a life begins at once.
"""

import asyncio
import http.client
import json
import os
import random
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from server import backup, cli
from server.backup import DATABASE, BackupError
from server.keys import hashed
from server.now import now
from server.site import DEFAULT
from server.store.again import differences
from server.store.audit import opened, report
from tests.faults.checker import Found, check
from tests.faults.server_scenes import Sender, joined, kept, serving

__all__ = ["Outcome", "campaign"]

LONGEST = 0.5
_LINES = 40_000  # of a station: more than it sends
_MOST, _AGAIN = 20, 5
_BACKUPS = 0.2  # of all lives
_PATIENCE = 20.0
_TAKEN = 200


class Outcome(NamedTuple):
    """What is left of so many lives."""

    cycles: int
    served: int
    backups: int
    acked: int
    found: Found


class _Client:
    """A station that sends; ``acked`` is what it was told, ``short`` what is less."""

    def __init__(self, number: int, luck: random.Random, port: int) -> None:
        self.sender = Sender(number, _LINES)
        self.acked = self.tried = 0
        self.short: list[str] = []
        self._luck, self._port = luck, port

    def send(self) -> bool:
        """Send some lines; return whether the server took them."""
        after = max(0, self.acked - self._luck.randrange(_AGAIN))
        last = min(after + self._luck.randint(0, _MOST), _LINES)
        one = self.sender.delivery(after, last)
        self.tried = max(self.tried, last)
        body = b"".join(line + b"\n" for line in one.lines)
        link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=LONGEST)
        try:
            path = f"/v1/logs/{one.log}/lines?after={after}"
            link.request("POST", path, body, self.sender.headers(one))
            answer = link.getresponse()
            said = json.loads(answer.read())
        finally:
            link.close()
        if answer.status == _TAKEN:
            self._told(int(said["acked"]), last)
        elif "acked" in said:
            self.short.append(f"{self.sender.name}: {said}")
        return answer.status == _TAKEN

    def _told(self, acked: int, last: int) -> None:
        if acked < max(self.acked, last):
            self.short.append(f"{self.sender.name}: {acked} of {self.acked}")
        self.acked = max(self.acked, acked)


def _serve(folder: Path, port: int) -> None:
    """Be a server; end only by being killed."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    with suppress(BaseException):
        data = ["--data", str(folder / "data")]
        cli.main(["serve", *data, "--host", "127.0.0.1", "--port", str(port)])
    os._exit(1)


def _back_up(folder: Path) -> None:
    with suppress(BaseException):
        backup.make(folder / "data", folder / "backups", now())
    os._exit(0)


def _forked(*work: object) -> int:
    child = os.fork()
    if child == 0:
        function, *arguments = work
        function(*arguments)  # type: ignore[operator] # one of the two above
    return child


def _kill(children: list[int]) -> None:
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _life(folder: Path, port: int, clients: list[_Client], luck: random.Random) -> int:
    """Let a server live for a while; return how many deliveries it took.

    Of every second one the time counts from when it first answers: a slow machine
    would else see little but starts.
    """
    children = [_forked(_serve, folder, port)]
    if luck.random() < _BACKUPS:
        children.append(_forked(_back_up, folder))
    waits, seconds = luck.random() < 1 / 2, luck.uniform(0.001, LONGEST)
    taken = int(waits and _first_answer(luck.choice(clients)))
    killer = threading.Timer(seconds, _kill, [children])
    killer.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        taken += _sent(luck.choice(clients))
    killer.join()
    for child in children:
        os.waitpid(child, 0)
    return taken


def _sent(client: _Client) -> bool:
    try:
        return client.send()
    except (OSError, http.client.HTTPException, ValueError):
        time.sleep(0.002)  # it is starting, or was killed
        return False


def _first_answer(client: _Client) -> bool:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if _sent(client):
            return True
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


async def _begin(folder: Path, clients: list[_Client]) -> None:
    (folder / "data").mkdir()
    async with serving(folder / "data") as store:
        for client in clients:
            await joined(store, client.sender, hashed(client.sender.name))


def _found(folder: Path, clients: list[_Client]) -> Found:
    """See what is kept: all that was acknowledged, and nothing that was not sent."""
    confirmed = [c for one in clients for c in one.sender.codes[: one.acked]]
    tried = [c for one in clients for c in one.sender.codes[: one.tried]]
    there = kept(folder / "data")
    logs = {one.sender.log: there.get(one.sender.log, []) for one in clients}
    found = check(confirmed, logs, tried)
    with opened(folder / "data" / DATABASE) as database:
        findings = [str(one) for one in report(database, {}).findings]
    path = folder / "data" / DATABASE
    findings += [str(one) for one in asyncio.run(differences(path, DEFAULT, now))]
    findings += [text for one in clients for text in one.short]
    for made in (folder / "backups").glob("*Z"):
        try:
            backup.read(made)
        except BackupError as error:
            findings.append(str(error))
    return found._replace(phantom=found.phantom + findings)


def campaign(folder: Path, cycles: int, seed: int) -> Outcome:
    """Kill a server so many times, on one database."""
    luck = random.Random(seed)  # noqa: S311 - has to be repeated, not secret
    port = _free_port()
    clients = [_Client(number, luck, port) for number in range(2)]
    asyncio.run(_begin(folder, clients))
    served = sum(_life(folder, port, clients, luck) > 0 for _ in range(cycles))
    made = len(list((folder / "backups").glob("*Z")))
    acked = sum(client.acked for client in clients)
    return Outcome(cycles, served, made, acked, _found(folder, clients))
