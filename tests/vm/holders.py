"""Other programs in the guest, which have the device that a station is to read."""

from tests.vm.guest import Guest
from tests.vm.station import BIN, as_user

__all__ = ["hold_keyboard", "hold_port"]

_HELD = """
    print(os.getpid(), flush=True)
    time.sleep(600)
"""
_KEYBOARD = """
import os, sys, time
from evdev import InputDevice
device = InputDevice(sys.argv[1])
with device.grab_context():
"""
_PORT = """
import os, sys, time
from serial import Serial
with Serial(sys.argv[1], exclusive=True):
"""


def hold_keyboard(guest: Guest, path: str) -> str:
    """Have a program grab an input device; return its process."""
    return _hold(guest, _KEYBOARD + _HELD, path)


def hold_port(guest: Guest, path: str) -> str:
    """Have a program open a serial port for itself alone; return its process."""
    return _hold(guest, _PORT + _HELD, path)


def _hold(guest: Guest, program: str, path: str) -> str:
    guest.put("/run/holder.py", program)
    run = as_user(f"{BIN}/python /run/holder.py {path}", "scantrail")
    guest.run(f"{run} >/run/holder 2>/run/holder.err &")
    guest.until(lambda: bool(guest.read("/run/holder")), "it holds the device")
    return guest.read("/run/holder").decode().strip()
