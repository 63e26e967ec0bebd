"""``scantrail-station identify``: the sheet is scanned, and the settings are written.

One loop waits for the devices that were named; the first from which something comes is
the one that is meant, and the others are closed.
"""

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from edge.config import FILE
from edge.doctor.naming import spec, what
from edge.doctor.report import in_words
from edge.identify import Analysis
from edge.identify.ears import Ear, Listenable, Openers, open_ear
from edge.identify.table import changes, table, with_scanner
from edge.scanners.discovery import ROOT, Candidate, scanners
from edge.scanners.hid_pos import HidPosSettings
from edge.scanners.keymap import KeyboardSettings
from edge.scanners.port_settings import SerialSettings
from edge.scanners.settings import from_spec
from edge.terminal_display import clean
from shared import files
from shared.errors import StartError

__all__ = ["Wish", "choose", "identify", "listen"]

_QUIET = 400  # milliseconds of silence after which a code has come to its end
_LONGEST = 60
_MOST = 16
_SHEET = (
    "Scan the set-up sheet now, from top to bottom (print: scantrail labels setup).\n"
    "It ends after the last code, after {seconds} s without a scan, or with Ctrl-C."
)

Say = Callable[[str], None]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        specs: The devices to listen to, as the command line names them.
        data: The station's data folder.
        write: Whether to write the settings into its configuration.
        name: What the scanner is to be called, or nothing.
        baud: Bits per second of serial ports.
        seconds: How long to wait for the next code.
    """

    specs: tuple[str, ...]
    data: Path
    write: bool = False
    name: str = ""
    baud: int = 9600
    seconds: float = 60


def identify(
    wish: Wish,
    say: Say,
    *,
    ask: Callable[[str], str] | None = None,
    root: Path = ROOT,
    openers: Openers | None = None,
) -> bool:
    """Listen to a scanner, say what it is set to, and write the settings if asked.

    Args:
        wish: What was asked for.
        say: Takes the lines for the person.
        ask: Puts a question to the person; none where nobody can answer.
        root: Where /dev and /sys are.
        openers: How devices are opened.

    Returns:
        Whether a code of the sheet was read, and all was done that was asked.

    Raises:
        StartError: A device cannot be opened.
        ConfigError: The configuration cannot be changed.
    """
    wanted = [_settings(text, wish) for text in wish.specs]
    if not wanted:
        wanted = choose(scanners(root), say, ask, wish)
    if not wanted:
        return False
    with contextlib.ExitStack() as stack:
        ears = []
        for settings in wanted:
            ears.append(open_ear(settings, root=root, openers=openers))
            stack.callback(ears[-1].close)
        if len(ears) > 1:
            say("Scan any code with the scanner that is meant, then the sheet.")
        say(_SHEET.format(seconds=wish.seconds))
        found = listen(ears, say, patience=wish.seconds)
    return found is not None and _told(found, wish, say)


def _settings(text: str, wish: Wish) -> Listenable:
    found = from_spec(text)
    if isinstance(found, SerialSettings):
        return msgspec.structs.replace(found, name=wish.name, baud=wish.baud)
    if isinstance(found, KeyboardSettings | HidPosSettings):
        return msgspec.structs.replace(found, name=wish.name)
    reason = f"{text}: expected evdev:PATH, hidpos:PATH or serial:PATH"
    raise StartError(reason)


def choose(
    candidates: Sequence[Candidate],
    say: Say,
    ask: Callable[[str], str] | None,
    wish: Wish,
) -> list[Listenable]:
    """Show what could be a scanner, and let the person say which to listen to."""
    if not candidates:
        reason = (
            "nothing here could be a scanner; plug it in (dmesg says if it is seen)"
        )
        raise StartError(reason)
    named = [spec(one, candidates) for one in candidates]
    for number, (one, text) in enumerate(zip(candidates, named, strict=True), 1):
        say(f"{number:>3}  {what(one)}\n     {text}")
    if ask is None:
        say("Name one or more of them: scantrail-station identify SPEC …")
        return []
    say("Leave out the keyboard that you type on: it would be taken away meanwhile.")
    answer = ask("Which of them are scanners? (numbers) ")
    return [_settings(named[number - 1], wish) for number in _numbers(answer, named)]


def _numbers(answer: str, named: Sequence[str]) -> list[int]:
    words = answer.replace(",", " ").split()
    if not words or not all(
        word.isdecimal() and 0 < int(word[:4]) <= len(named) for word in words
    ):
        reason = f"expected numbers from 1 to {len(named)}, and nothing was opened"
        raise StartError(reason)
    return sorted({int(word) for word in words})[:_MOST]


# --- listening ------------------------------------------------------------------------


def listen(ears: Sequence[Ear], say: Say, *, patience: float) -> Analysis | None:
    """Listen until the whole sheet came, or nothing more does.

    The first ear that hears something is the one that counts.

    Raises:
        StartError: The device was unplugged.
    """
    analysis = None
    shown = 0
    with contextlib.suppress(KeyboardInterrupt):
        for ear in _bursts(ears, say, patience):
            say(f"  {ear.heard()}")
            analysis = ear.analysis()
            shown = _show(analysis, shown, say)
            if not analysis.rest:
                break
    return analysis


def _bursts(ears: Sequence[Ear], say: Say, patience: float) -> Iterator[Ear]:
    """Yield the ear that counts, each time when something came and silence follows."""
    poll = select.poll()
    for ear in ears:
        poll.register(ear.source.fileno(), select.POLLIN)
    waiting, chosen = True, list(ears)
    while True:
        ready = poll.poll(patience * 1000 if waiting else _QUIET)
        heard = next((ear for ear in chosen if _is_ready(ear, ready)), None)
        if heard is not None and _hear(heard):
            _leave([ear for ear in chosen if ear is not heard], heard, poll, say)
            waiting, chosen = False, [heard]
        elif heard is None and waiting:
            say(f"Nothing more came for {patience:g} s.")
            return
        elif heard is None:
            yield chosen[0]
            waiting = True


def _is_ready(ear: Ear, ready: Sequence[tuple[int, int]]) -> bool:
    return any(descriptor == ear.source.fileno() for descriptor, _ in ready)


def _leave(others: Sequence[Ear], heard: Ear, poll: select.poll, say: Say) -> None:
    """Let go of the devices that are not meant."""
    for other in others:
        poll.unregister(other.source.fileno())
        other.close()
    if others:
        say(f"This one: {heard.name}")


def _hear(ear: Ear) -> bool:
    """Take what is there; say whether something was."""
    try:
        data = ear.source.read()
    except OSError as error:
        reason = (
            f"{ear.name} was unplugged ({error.strerror}); plug it in, and begin again"
        )
        raise StartError(reason) from error
    if data is None:
        reason = f"{ear.name} has come to its end"
        raise StartError(reason)
    if data:
        ear.take(data, time.monotonic_ns() // 1000)
    return bool(data)


def _show(analysis: Analysis, shown: int, say: Say) -> int:
    for code in analysis.codes[shown:]:
        which = f"code {code.number} of the sheet" if code.number else "not recognised"
        say(f"        {clean(code.text, _LONGEST)}  ({which})")
    return len(analysis.codes)


# --- telling and writing --------------------------------------------------------------


def _told(analysis: Analysis, wish: Wish, say: Say) -> bool:
    settings = analysis.settings
    if wish.name:
        settings = msgspec.structs.replace(settings, name=wish.name)
    say("")
    for line in in_words(analysis.findings)[1:]:
        say(line)
    if not analysis.seen:
        say("No settings can be told from this.")
        return False
    say(f"\n{table(settings)}")
    path = wish.data / FILE
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    new = with_scanner(old, str(path), settings)
    if new == old:
        say(f"{path} says so already.")
    elif wish.write:
        say(changes(old, new, path.name))
        _replace(path, new)
        say(f"{path} was written; the station takes it up when it is started again.")
    else:
        say(changes(old, new, path.name))
        say(f"Nothing was written; --write puts this into {path}.")
    return True


def _replace(path: Path, text: str) -> None:
    """Replace the file; whoever could read it, or its folder, still can."""
    try:
        files.make_folder(path.parent)
        kept = path.stat() if path.exists() else None
        owner = kept or path.parent.stat()
        files.write(path, text.encode())
        if kept is not None:
            path.chmod(kept.st_mode & 0o777)
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)
    except OSError as error:
        reason = f"{path}: {error.strerror}; see who owns it and its folder"
        raise StartError(reason) from error
