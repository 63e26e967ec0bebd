"""Faults at system calls: a process is forked, and another answers its calls for it.

The child asks the kernel (seccomp, ``SECCOMP_RET_USER_NOTIF``) to hand some of its
calls to its parent, which lets each go on, or lets it fail, be skipped, or be the last
thing that the child ever did. Linux 5.5 and later; no other program and no root needed.
"""

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple, NoReturn

PATIENCE = 30.0

_MACHINES = {"x86_64": 0, "aarch64": 1}
_SECCOMP = (317, 277)


class _Entry(NamedTuple):
    """A system call: its number, and which argument is the path of the file.

    ``None``: its first argument is the file's descriptor.
    """

    number: int
    path: int | None = None


_CALLS: dict[str, tuple[tuple[_Entry, ...], tuple[_Entry, ...]]] = {
    "pwrite64": ((_Entry(18),), (_Entry(67),)),
    "write": ((_Entry(1),), (_Entry(64),)),
    "fdatasync": ((_Entry(75),), (_Entry(83),)),
    "fsync": ((_Entry(74),), (_Entry(82),)),
    "ftruncate": ((_Entry(77),), (_Entry(46),)),
    "unlink": ((_Entry(87, 0), _Entry(263, 1)), (_Entry(35, 1),)),
    "rename": (
        (_Entry(82, 0), _Entry(264, 1), _Entry(316, 1)),
        (_Entry(38, 1), _Entry(276, 1)),
    ),
    "openat": ((_Entry(257, 1),), (_Entry(56, 1),)),
}
"""Of each kind of call those of the one machine, and of the other."""

CALLS = tuple(_CALLS)
"""What changes the disk; and ``openat``, for one without inodes."""

KINDS = {
    "kill": 0,
    "eio": errno.EIO,
    "enospc": errno.ENOSPC,
    "edquot": errno.EDQUOT,
    "erofs": errno.EROFS,
    "lie": 0,
}
"""What can happen at a call; a ``lie`` is a call that was not made and says 0."""

_NOTICE = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_GO_ON = 1
_NO_NEW_PRIVILEGES, _DIE_WITH_PARENT = 38, 1
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_NOTIFY, _ALLOW = 0x7FC00000, 0x7FFF0000


class Fault(NamedTuple):
    """What happens at a process's ``when``-th call, and at ``often`` in all."""

    kind: str
    call: str
    when: int
    often: int = 1


class Ended(NamedTuple):
    """How a process ended, how often it made the call, and if the fault happened."""

    status: int
    calls: int
    fired: bool


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def _entries(call: str) -> tuple[_Entry, ...]:
    return _CALLS[call][_MACHINES[platform.machine()]]


def _hand_over(call: str, to: socket.socket) -> None:
    """Hand a call of this process, and of its threads from here on, to the parent."""
    numbers = [entry.number for entry in _entries(call)]
    code = struct.pack("=HBBI", _LOAD, 0, 0, 0)
    for left, number in zip(range(len(numbers), 0, -1), numbers, strict=True):
        code += struct.pack("=HBBI", _EQUAL, left, 0, number)
    code += struct.pack("=HBBI", _RETURN, 0, 0, _ALLOW)
    code += struct.pack("=HBBI", _RETURN, 0, 0, _NOTIFY)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    found = _Filter(len(code) // 8, code)
    number = _SECCOMP[_MACHINES[platform.machine()]]
    listener = libc.syscall(number, 1, 1 << 3, ctypes.byref(found))
    if listener < 0:
        code_ = ctypes.get_errno()
        raise OSError(code_, os.strerror(code_))
    socket.send_fds(to, [b"!"], [listener])
    os.close(listener)


@cache
def why_not() -> str:
    """Say why this machine cannot do it; empty where it can."""
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return "needs Linux on x86_64 or aarch64"
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _hand_over("unlink", there)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    here.close()
    there.close()
    return "" if status == 0 else "this kernel hands no system calls over (seccomp)"


def run(work: Callable[[], None], folder: Path, fault: Fault) -> Ended:
    """Fork, and run ``work`` under a fault at files below ``folder``."""
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        here.close()
        _work(work, fault.call, there)
    there.close()
    with here:
        _, listeners, *_ = socket.recv_fds(here, 1, 1)
    watch = _Watch(child, os.fsencode(folder), fault)
    try:
        watch.until_it_ends(listeners[0])
    finally:
        for listener in listeners:
            os.close(listener)
    _, status = os.waitpid(child, 0)
    return Ended(os.waitstatus_to_exitcode(status), watch.calls, watch.fired)


def _work(work: Callable[[], None], call: str, to: socket.socket) -> NoReturn:
    status = 1
    try:
        _hand_over(call, to)
        to.close()
        work()
        status = 0
    finally:
        os._exit(status)


class _Watch:
    """Answers the calls of one process."""

    def __init__(self, child: int, folder: bytes, fault: Fault) -> None:
        self.calls, self.fired = 0, False
        self._child, self._folder, self._fault = child, folder, fault
        self._entries = {entry.number: entry for entry in _entries(fault.call)}

    def until_it_ends(self, listener: int) -> None:
        end = time.monotonic() + PATIENCE
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while True:
            left = end - time.monotonic()
            found = poll.poll(max(0, left * 1000))
            if not found:
                os.kill(self._child, signal.SIGKILL)
                return
            if found[0][1] & select.POLLIN:
                self._answer(listener)
            elif found[0][1] & select.POLLHUP:
                return

    def _answer(self, listener: int) -> None:
        notice = bytearray(_NOTICE.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, notice)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.EINTR}:
                return  # it is gone
            raise
        id_, thread, _, number, _, _, *arguments = _NOTICE.unpack(notice)
        answer = (id_, 0, 0, _GO_ON)
        if self._is_meant(thread, self._entries[number], arguments):
            self.calls += 1
            if 0 <= self.calls - self._fault.when < self._fault.often:
                self.fired = True
                if self._fault.kind == "kill":
                    os.kill(self._child, signal.SIGKILL)
                    return
                answer = (id_, 0, -KINDS[self._fault.kind], 0)
        try:
            fcntl.ioctl(listener, _SEND, bytearray(_ANSWER.pack(*answer)))
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    def _is_meant(self, thread: int, entry: _Entry, arguments: list[int]) -> bool:
        """Whether a call is about a file below the folder."""
        process = Path("/proc") / str(thread)
        try:
            if entry.path is None:
                name = os.fsencode((process / "fd" / str(arguments[0])).readlink())
            else:
                with (process / "mem").open("rb", buffering=0) as memory:
                    memory.seek(arguments[entry.path])
                    name = memory.read(len(self._folder))
        except OSError:
            return False
        return name.startswith(self._folder)
