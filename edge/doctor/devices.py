"""What is wrong with the scanners of a machine, and with what could take them. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from edge.doctor import Area, Finding, Severity
from edge.doctor.facts import Facts, Person
from edge.doctor.naming import best_path, device_path, spec, what
from edge.scanners.discovery import Candidate, Kind, is_station, look_alikes
from edge.scanners.settings import (
    HidPosSettings,
    KeyboardSettings,
    ScannerSettings,
    SerialSettings,
    SsiSettings,
)

__all__ = ["GROUP", "RULES", "device_findings"]

RULES = "61-scantrail.rules"
"""The file with our udev rules."""
GROUP = "scantrail"
"""The group to which they give scanners."""

_KINDS: Mapping[type, Kind] = {
    KeyboardSettings: Kind.KEYBOARD,
    HidPosSettings: Kind.HID_POS,
    SerialSettings: Kind.SERIAL,
    SsiSettings: Kind.SERIAL,
}
_INSTALL = "install the udev rules"
_HOW = (
    f"{_INSTALL}:\ncp systemd/*.rules /etc/udev/rules.d/\n"
    "udevadm control --reload; udevadm trigger"
)


def _found(severity: Severity, text: str, do: str = "") -> Finding:
    return Finding(area=Area.SCANNERS, severity=severity, text=text, do=do)


def device_findings(facts: Facts) -> list[Finding]:
    """Return what there is to say of scanners, configured ones first."""
    named = facts.config.scanner if facts.config else ()
    found: list[Finding] = []
    taken: set[str] = set()
    for settings in named:
        wanted = device_path(settings)
        if wanted is not None:
            chosen = facts.named.get(wanted, ())
            taken |= {one.node for one in chosen}
            found += _configured(settings, wanted, chosen, facts)
    rest = [one for one in facts.candidates if one.node not in taken]
    found += [_could_be(one, rest) for one in rest]
    if not facts.candidates and not named:
        found.append(_NOTHING)
    return [*found, *_running(facts, named), *_rules(facts, taken), *_others(facts)]


_NOTHING = _found(
    Severity.NOTE,
    "nothing here could be a scanner",
    "plug it in; dmesg says whether the kernel sees it",
)


# --- one that is configured -----------------------------------------------------------


def _configured(
    settings: ScannerSettings, wanted: str, chosen: Sequence[Candidate], facts: Facts
) -> Iterator[Finding]:
    name = settings.device
    if isinstance(settings, KeyboardSettings) and not facts.evdev:
        yield _NO_EVDEV
    if not chosen:
        kind = _KINDS[type(settings)]
        alike = [one for one in facts.candidates if one.kind is kind]
        yield _missing(name, wanted, alike)
        return
    if len({one.port for one in chosen}) > 1:
        yield _several(name, chosen)
        return
    trouble = [
        *_permission(name, chosen[0], facts.person),
        *_held(name, chosen[0], facts),
        *_shared(name, wanted, chosen[0], facts.candidates),
        *_passing(name, wanted, chosen[0]),
        *_shared_keys(name, settings),
    ]
    yield from trouble or [_found(Severity.FINE, f"{name}: {what(chosen[0])}")]


_NO_EVDEV = _found(
    Severity.WRONG,
    "keyboard scanners need the library evdev, which is not installed",
    "apt install gcc python3-dev linux-libc-dev; pip install 'scantrail[edge]'; "
    "or set the scanner to USB HID POS or USB serial",
)


def _missing(name: str, wanted: str, candidates: Sequence[Candidate]) -> Finding:
    there = ", ".join(best_path(one, candidates) for one in candidates)
    do = "plug the scanner in, or correct its path in the configuration"
    return _found(
        Severity.WRONG,
        f"{name}: {wanted} is not there",
        f"{do}; there are: {there}" if there else do,
    )


def _several(name: str, chosen: Sequence[Candidate]) -> Finding:
    paths = " or ".join(best_path(one) for one in chosen)
    return _found(
        Severity.WRONG,
        f"{name}: {len(chosen)} devices are meant by it",
        f"name one: {paths}; scantrail-station identify tells which is which",
    )


def _permission(name: str, one: Candidate, person: Person) -> Iterator[Finding]:
    if one.openable or not one.access:
        return
    group, mode = _group_and_mode(one.access)
    yield _found(
        Severity.WRONG,
        f"{name}: {person.name} may not open {one.node} ({one.access})",
        _permit(group, mode, person),
    )


def _group_and_mode(access: str) -> tuple[str, int]:
    owners, _, mode = access.partition(" ")
    return owners.partition(":")[2], int(mode or "0", 8)


_GROUP_READS = 0o040


def _permit(group: str, mode: int, person: Person) -> str:
    if group in {"", "root"} or not mode & _GROUP_READS:
        return _INSTALL
    if group in person.groups:
        return f"{_INSTALL}; a container or a unit may also forbid it"
    if group in person.written:
        return (
            f"log in again, or restart the service: {person.name} is in the group "
            f"{group} only since this program was started"
        )
    return (
        f"you are not in the group {group}: usermod -aG {group} {person.name}\n"
        "then log in again, or restart the service"
        f"{_READS_ALL if group == 'input' else ''}"
    )


_READS_ALL = (
    f"; or {_INSTALL}, which give the station scanners alone, and no other keyboard"
)


def _held(name: str, one: Candidate, facts: Facts) -> Iterator[Finding]:
    ours = facts.status.pid if facts.status else None
    others = [
        holder
        for holder in facts.holders.get(one.node, ())
        if holder.pid != ours and not is_station(holder)
    ]
    if others:
        who = " and ".join(f"{other.name} (pid {other.pid})" for other in others)
        yield _found(
            Severity.WRONG,
            f"{name}: {one.node} is open in {who}",
            "; ".join(_end(other.name) for other in others),
        )


_ENDS: Mapping[str, str] = {
    "ModemManager": "systemctl mask --now ModemManager, or " + _INSTALL,
    "brltty": "systemctl mask --now brltty brltty-udev, or apt remove brltty",
    "Xorg": "set grab = true for the scanner (the default), or " + _INSTALL,
}


def _end(process: str) -> str:
    return _ENDS.get(process, f"end {process}, if it is not meant to have the scanner")


def _shared(
    name: str, wanted: str, one: Candidate, candidates: Iterable[Candidate]
) -> Iterator[Finding]:
    others = look_alikes(one, candidates)
    if others and wanted in one.by_id:
        paths = ", ".join(best_path(each) for each in (one, *others))
        yield _found(
            Severity.WRONG,
            f"{name}: {wanted} stands for {1 + len(others)} scanners without serial "
            "numbers; which of them it is changes with every plugging in",
            f"name each by where it is plugged in: {paths}",
        )


def _passing(name: str, wanted: str, one: Candidate) -> Iterator[Finding]:
    if wanted == one.node and best_path(one) != wanted:
        yield _found(
            Severity.WARNING,
            f"{name}: {wanted} may be another device after the next plugging in",
            f"name it {best_path(one)}",
        )


def _shared_keys(name: str, settings: ScannerSettings) -> Iterator[Finding]:
    if isinstance(settings, KeyboardSettings) and not settings.grab:
        yield _found(
            Severity.WARNING,
            f"{name}: its codes are typed into the console or a window, too",
            "set grab = true, which is the default",
        )


# --- others ---------------------------------------------------------------------------


def _could_be(one: Candidate, rest: list[Candidate]) -> Finding:
    alike = ""
    if look_alikes(one, rest):
        alike = "; others like it are there, and scantrail-station identify tells which"
    return _found(
        Severity.NOTE,
        f"not configured: {what(one)}",
        f"if it is a scanner: scantrail-station identify {spec(one, rest)}{alike}",
    )


def _running(facts: Facts, named: Iterable[ScannerSettings]) -> Iterator[Finding]:
    """Say what the running station knows of scanners that are no device here."""
    status = facts.status
    devices = {s.device for s in named if device_path(s) is not None}
    for scanner in status.scanners if status and status.running else ():
        if scanner.device in devices:
            continue
        if scanner.connected:
            yield _found(Severity.FINE, f"{scanner.device}: connected")
        else:
            problem = scanner.problem or "not connected"
            yield _found(
                Severity.WRONG,
                f"{scanner.device}: {problem}",
                "" if scanner.problem else "see its cable, its power and its address",
            )


def _rules(facts: Facts, taken: set[str]) -> Iterator[Finding]:
    usb = [one for one in facts.candidates if one.vendor and one.node in taken]
    if not facts.rules:
        severity = Severity.WARNING if usb else Severity.NOTE
        text = f"the udev rules for scanners are not installed ({RULES})"
        yield _found(severity, text, _HOW)
        return
    yield _found(Severity.FINE, f"udev rules: {facts.rules}")
    if not facts.group:
        yield _found(
            Severity.WARNING,
            f"the udev rules give scanners to the group {GROUP}, which is not there",
            "cp systemd/scantrail.sysusers.conf /usr/lib/sysusers.d/scantrail.conf\n"
            "systemd-sysusers; udevadm trigger",
        )
    for one in usb:
        if one.node not in facts.ruled:
            yield _found(
                Severity.WARNING,
                f"the udev rules do not take {one.node} for a scanner",
                f"put into /etc/udev/rules.d/60-scantrail-site.rules:\n{_line(one)}\n"
                "then: udevadm control --reload; udevadm trigger",
            )


def _line(one: Candidate) -> str:
    return (
        f'ATTRS{{idVendor}}=="{one.vendor}", ATTRS{{idProduct}}=="{one.product}", \\\n'
        'ENV{SCANTRAIL_SCANNER}="1"'
    )


def _others(facts: Facts) -> Iterator[Finding]:
    """Name the programs that seize a serial port as soon as it is plugged in."""
    ports = [one for one in facts.candidates if one.kind is Kind.SERIAL and one.vendor]
    open_ = ", ".join(one.node for one in ports if one.node not in facts.ruled)
    if open_ and "ModemManager" in facts.processes:
        yield _found(
            Severity.WARNING,
            f"ModemManager runs, and writes to new serial ports ({open_})",
            _ENDS["ModemManager"],
        )
    if ports and "brltty" in facts.processes:
        yield _found(
            Severity.WARNING,
            "brltty runs, and takes serial ports for Braille displays",
            _ENDS["brltty"],
        )
