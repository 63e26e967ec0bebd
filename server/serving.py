"""A server from its settings to its end: its parts, put together and listening."""

import asyncio
import logging
import shutil
import signal
from collections.abc import Collection
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from server import people_command, plan_command, pulse
from server.announcing import announced
from server.api.context import Context
from server.api.metrics import METRICS
from server.app import create_app
from server.background import keeping_up
from server.config import ServerConfig
from server.data_folder import (
    KEYS,
    MOST_PROCESSES,
    hold,
    hold_one_of_many,
    made_data_folder,
)
from server.following import follow_acts, follow_backups
from server.keys import Keys
from server.listening import certificate_of, listening
from server.metrics import Metrics
from server.now import now
from server.oidc.provider import Provider
from server.own_log import OwnLog
from server.people import People
from server.reference import ReferenceData
from server.sessions import Sessions
from server.store import Store, own_name
from server.storing import left_behind, opened
from shared.errors import ScantrailError, StartError
from shared.moments import SECOND
from shared.sd_notify import READY, STOPPING, notify

__all__ = ["serve"]

_LOG = logging.getLogger("scantrail.server")
_OWN_KEY = "own-log.json"
_SESSIONS = "sessions"
_LOOK_AT_ARCHIVE = 600.0
"""Seconds between two looks at the files of archived lines."""
_MAX_LINE = 16 * 1024
"""Bytes of a request's first line: the longest key is 12 KB when percent-encoded."""


async def serve(config: ServerConfig, *, new: bool) -> None:
    """Serve until told to end.

    Args:
        config: The settings.
        new: The data folder was not there; where it does not come to serving, it goes.

    Raises:
        StartError: It did not come to that.
    """
    data = made_data_folder(Path(config.data))
    number = 1
    if config.store.url:
        number = hold_one_of_many(data)
    else:
        hold(data)
    try:
        await _serve_from(data, number, config)
    except StartError:
        if new:  # it is this process's alone, and nobody was ever served from it
            shutil.rmtree(data, ignore_errors=True)
        raise


async def _serve_from(data: Path, number: int, config: ServerConfig) -> None:
    """Serve from a folder that is held.

    Raises:
        StartError: It did not come to that.
    """
    certificate = certificate_of(config)
    told = certificate if config.tls.mode == "own" else None
    store = await opened(config.store, data, now, config.site())
    try:
        own_key = data / (_OWN_KEY if number == 1 else f"own-log-{number}.json")
        last = MOST_PROCESSES if config.store.url else number
        names = [own_name(one) for one in range(number, last + 1)]
        own = await OwnLog.open(store, own_key, now, names)
    except BaseException:
        await store.close()  # an open database keeps a process from ending
        raise
    await _say_what_never_moved(data, config, store)
    lacks = await _say_what_is_missing(store, ())
    context = _context(data, config, store, own, told.fingerprint if told else "")
    # what a body unpacks to is bounded by server.delivery, not by aiohttp
    app = create_app(context)
    figures = app[METRICS]
    runner = web.AppRunner(
        app,
        auto_decompress=False,
        max_line_size=_MAX_LINE,
        access_log=None,
        handle_signals=False,
    )
    await runner.setup()
    following = asyncio.create_task(follow_backups(data, store, figures.backed_up))
    try:
        async with (
            listening(runner, config, certificate) as address,
            announced(
                config,
                server=store.identity.server,
                fingerprint=context.fingerprint,
                port=urlsplit(address).port or 0,
            ),
            keeping_up(partial(pulse.feed, store.ready, "serving"), "watchdog"),
            keeping_up(
                partial(_follow_archive, store, figures, lacks),
                "looking for archived files",
            ),
            keeping_up(
                partial(follow_acts, data, own) if number == 1 else _nothing,
                "what was done here",
            ),
        ):
            print(address, flush=True)  # noqa: T201 # asked for by the contract
            _LOG.info("serving; data in %s", config.data)
            notify(READY)
            await _until_told()
            notify(STOPPING)
    finally:
        following.cancel()
        await runner.cleanup()


async def _say_what_never_moved(data: Path, config: ServerConfig, store: Store) -> None:
    """Log that lines in the data folder were never moved to PostgreSQL."""
    if config.store.url:
        server = store.identity.server
        if text := await asyncio.to_thread(left_behind, data, server):
            _LOG.error("%s", text)


async def _say_what_is_missing(store: Store, known: Collection[str]) -> Collection[str]:
    """Log what keeps archived lines from being read; the rest is served.

    Args:
        store: What has the lines.
        known: What was said already.

    Returns:
        What there is to say.
    """
    try:
        found = await store.missing()
    except ScantrailError:  # who asks for such a line is told
        return known
    for text in found:
        if text not in known:
            _LOG.error("%s", text)
    return found


async def _follow_archive(
    store: Store, figures: Metrics, lacks: Collection[str]
) -> None:
    """Look now and then whether the files of archived lines are there."""
    while True:
        figures.archive_lacks(len(lacks))
        await asyncio.sleep(_LOOK_AT_ARCHIVE)
        lacks = await _say_what_is_missing(store, lacks)


def _context(
    data: Path, config: ServerConfig, store: Store, own: OwnLog, fingerprint: str
) -> Context:
    """Gather what every request is answered from."""
    people = People(data / people_command.PEOPLE)
    oidc = Provider(config.oidc, now) if config.oidc.issuer else None
    return Context(
        store=store,
        keys=Keys(data / KEYS),
        people=people,
        plan=data / plan_command.PLAN,
        sessions=Sessions(data / _SESSIONS, people, visitors=oidc is not None),
        reference=ReferenceData(store, now),
        own=own,
        now=now,
        site=config.site(),
        requests_per_second=config.requests_per_second,
        webhooks=config.webhooks,
        code_lifetime=config.code_minutes * 60 * SECOND,
        silent_limit=config.silent_seconds * SECOND,
        zone=config.console.zone,
        language=config.console.language,
        fingerprint=fingerprint,
        second_factor=frozenset(config.console.second_factor),
        config=config,
        oidc=oidc,
    )


async def _nothing() -> None:
    """Do what another process does already."""
    await asyncio.get_running_loop().create_future()


async def _until_told() -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
