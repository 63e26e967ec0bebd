"""What the doctor says of machines made of folders, and of facts made up."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edge.cli import main
from edge.config import Config
from edge.doctor import Finding, Severity, is_wrong
from edge.doctor.devices import RULES
from edge.doctor.examination import examine, judge
from edge.doctor.facts import Certificate, Disk, Facts, Person, Reads, ServerSeen
from edge.doctor.machine import gather, measure, who
from edge.doctor.report import in_json, in_words
from edge.health import OUTBOX, ScannerReport, Status
from edge.outbox import Outbox
from edge.scanners.discovery import Candidate, Holder, Kind
from edge.scanners.settings import (
    KeyboardSettings,
    ScannerSettings,
    SerialSettings,
    TcpSettings,
)
from shared.lines import Line
from shared.moments import SECOND, to_moment, to_text
from shared.protocol import ClockReading
from tests.machine import Machine

NOW = to_moment("2026-11-25T10:00:00Z")
ME = Person(name="scan", groups=frozenset({"scan"}))
DISK = Disk(folder="/var/lib/scantrail", free=10**10, flush=5_000)
STATUS = Status(running=True, joined=True, station="DOCK-1", log="L", saved=9, acked=9)
SERVER = ServerSeen(url="https://s", server="s1", enrolled="s1", offset=0)
FINE = Facts(
    now=NOW,
    synced=True,
    person=ME,
    rules="/etc/udev/rules.d/61-scantrail.rules",
    config=Config(),
    status=STATUS,
    disk=DISK,
    server=SERVER,
)
KEYBOARD = Candidate(
    kind=Kind.KEYBOARD,
    node="/dev/input/event5",
    name="Symbol Scanner",
    vendor="05e0",
    product="1200",
    port="1-1",
    by_id=("/dev/input/by-id/gun",),
    by_path=("/dev/input/by-path/one",),
    openable=True,
    access="root:input 0660",
    number="13:69",
)
TWIN = msgspec.structs.replace(
    KEYBOARD,
    node="/dev/input/event6",
    port="1-2",
    by_id=(),
    by_path=("/dev/input/by-path/two",),
)
PORT = Candidate(
    kind=Kind.SERIAL,
    node="/dev/ttyUSB0",
    vendor="0c2e",
    product="0b61",
    serial="S77",
    port="1-3",
    by_id=("/dev/serial/by-id/S77",),
    openable=True,
    access="root:dialout 0660",
)
GUN = KeyboardSettings(path="/dev/input/by-path/one", name="gun")
LINE = SerialSettings(port="/dev/serial/by-id/S77", name="line")


def _with(**changed: object) -> Facts:
    return msgspec.structs.replace(FINE, **changed)


def _scanning(
    settings: ScannerSettings, *candidates: Candidate, chosen: int = 1, **more: object
) -> Facts:
    path = getattr(settings, "path", None) or getattr(settings, "port", "")
    given: dict[str, object] = {
        "config": Config(scanner=(settings,)),
        "candidates": candidates,
        "named": {path: candidates[:chosen]},
        "ruled": frozenset(one.node for one in candidates),
    }
    return _with(**(given | more))


def _wrong(facts: Facts) -> list[Finding]:
    return [one for one in judge(facts) if is_wrong(one)]


def _only(facts: Facts) -> Finding:
    (found,) = _wrong(facts)
    assert found.do, found
    return found


def test_nothing_is_wrong_with_a_station_that_does_well() -> None:
    facts = _scanning(GUN, KEYBOARD)
    assert _wrong(facts) == []
    assert in_words(judge(facts))[-1] == "nothing is wrong"


@pytest.mark.parametrize(
    ("facts", "text", "do"),
    [
        (
            _scanning(GUN, KEYBOARD, evdev=False),
            "library evdev, which is not installed",
            "pip install 'scantrail[edge]'",
        ),
        (
            _scanning(GUN, TWIN, chosen=0),
            "gun: /dev/input/by-path/one is not there",
            "there are: /dev/input/by-path/two",
        ),
        (
            _scanning(
                KeyboardSettings(path="05e0:1200", name="gun"),
                KEYBOARD,
                TWIN,
                chosen=2,
            ),
            "gun: 2 devices are meant",
            "/dev/input/by-path/one or /dev/input/by-path/two",
        ),
        (
            _scanning(
                KeyboardSettings(path="/dev/input/by-id/gun", name="gun"),
                KEYBOARD,
                TWIN,
            ),
            "stands for 2 scanners without serial numbers",
            "/dev/input/by-path/one, /dev/input/by-path/two",
        ),
        (
            _scanning(KeyboardSettings(path="/dev/input/event5", name="gun"), KEYBOARD),
            "may be another device after the next plugging in",
            "name it /dev/input/by-path/one",
        ),
        (
            _scanning(
                msgspec.structs.replace(GUN, grab=False),
                KEYBOARD,
            ),
            "typed into the console",
            "grab = true",
        ),
        (
            _scanning(
                GUN,
                KEYBOARD,
                holders={
                    KEYBOARD.node: (Holder(7, "Xorg"), Holder(8, "scantrail-stati"))
                },
            ),
            "gun: /dev/input/event5 is open in Xorg (pid 7)",
            "grab = true",
        ),
        (
            _scanning(LINE, PORT, holders={PORT.node: (Holder(9, "ModemManager"),)}),
            "open in ModemManager (pid 9)",
            "systemctl mask --now ModemManager",
        ),
        (
            _scanning(LINE, PORT, holders={PORT.node: (Holder(9, "minicom"),)}),
            "open in minicom",
            "end minicom",
        ),
        (
            _scanning(LINE, PORT, processes=frozenset({"brltty"})),
            "brltty runs",
            "systemctl mask --now brltty",
        ),
        (
            _with(
                candidates=(PORT,),
                processes=frozenset({"ModemManager"}),
            ),
            "ModemManager runs, and writes to new serial ports (/dev/ttyUSB0)",
            "mask --now ModemManager",
        ),
        (
            _scanning(GUN, KEYBOARD, rules=""),
            f"the udev rules for scanners are not installed ({RULES})",
            "cp systemd/*.rules",
        ),
        (
            _scanning(GUN, KEYBOARD, ruled=frozenset()),
            "the udev rules do not take /dev/input/event5 for a scanner",
            'ATTRS{idVendor}=="05e0", ATTRS{idProduct}=="1200", \\\nENV{SCANTRAIL_S',
        ),
        (
            _scanning(
                TcpSettings(host="10.0.0.7", port=9004, name="gate"),
                status=msgspec.structs.replace(
                    STATUS, scanners=(ScannerReport(device="gate", connected=False),)
                ),
                named={},
            ),
            "gate: not connected",
            "its cable",
        ),
        (_with(group=False), "group scantrail, which is not there", "systemd-sysusers"),
        (
            _with(status=msgspec.structs.replace(STATUS, owed=3, problem="full")),
            "3 scans are saved beside the outbox only: full",
            "see the disk",
        ),
        (
            _with(status=msgspec.structs.replace(STATUS, storage=("set aside",))),
            "set aside",
            "dmesg",
        ),
        (_with(synced=False), "is not synchronised", "timedatectl"),
        (_with(now=SECOND), "1970-01-01T00:00:01Z, which is long ago", "timedatectl"),
        (_with(newest=NOW + 60 * SECOND), "before the newest scan", "timedatectl"),
        (
            _with(disk=msgspec.structs.replace(DISK, free=10**7)),
            "the disk is full: 10 MB free",
            "free some space",
        ),
        (
            _with(disk=msgspec.structs.replace(DISK, free=5 * 10**8)),
            "little room",
            "free some space",
        ),
        (
            _with(disk=msgspec.structs.replace(DISK, read_only=True, flush=None)),
            "mounted read-only",
            "dmesg",
        ),
        (
            _with(disk=Disk(folder="/x", problem="Permission denied")),
            "/x: Permission denied",
            "ls -ld",
        ),
        (
            _with(disk=msgspec.structs.replace(DISK, flush=400_000)),
            "a write takes 400 ms",
            "use an SSD",
        ),
        (
            _with(config=None, config_problem="station.toml:3: no setting"),
            "station.toml:3",
            "check-config",
        ),
        (
            _with(status=msgspec.structs.replace(STATUS, joined=False), server=None),
            "has not joined",
            "join URL CODE",
        ),
        (
            _with(status=msgspec.structs.replace(STATUS, unsaved=2, problem="full")),
            "2 scans are in memory only: full",
            "keep the station running",
        ),
        (
            _with(status=msgspec.structs.replace(STATUS, alarm="a fork")),
            "a fork",
            "tell whoever",
        ),
        (
            _with(status=msgspec.structs.replace(STATUS, running=False, waiting=4)),
            "4 not sent yet",
            "while the station runs",
        ),
        (
            _with(reads=(Reads(device="gun", reads=9),)),
            "96385074",
            "scantrail labels setup",
        ),
        (
            _with(reads=(Reads(device="gun", reads=40, identified=9, damaged=3),)),
            "3 of its latest 40 reads are damaged",
            "identify",
        ),
        (
            _with(server=msgspec.structs.replace(SERVER, problem="no route")),
            "no route",
            "safe here",
        ),
        (
            _with(server=msgspec.structs.replace(SERVER, server="s2")),
            "another server (s2)",
            "join anew",
        ),
        (
            _with(server=msgspec.structs.replace(SERVER, refusal="refused: revoked")),
            "refused: revoked",
            "new code",
        ),
        (
            _with(server=msgspec.structs.replace(SERVER, offset=-90 * SECOND)),
            "90 s behind the server's",
            "timedatectl",
        ),
        (
            _with(
                server=msgspec.structs.replace(
                    SERVER, certificate=Certificate(expires=NOW + 86_400 * SECOND)
                )
            ),
            "ends 2026-11-26T10:00:00Z",
            "renew it",
        ),
        (
            _with(
                server=msgspec.structs.replace(
                    SERVER, certificate=Certificate(expires=NOW - SECOND)
                )
            ),
            "ended 2026-11-25T09:59:59Z",
            "renew it",
        ),
    ],
)
def test_each_finding_says_what_to_do(facts: Facts, text: str, do: str) -> None:
    found = _only(facts)
    assert text in found.text
    assert do in found.do


@pytest.mark.parametrize(
    ("access", "person", "do"),
    [
        ("root:input 0660", ME, "you are not in the group input: usermod -aG input sc"),
        (
            "root:input 0660",
            msgspec.structs.replace(ME, written=frozenset({"input"})),
            "log in again",
        ),
        (
            "root:input 0660",
            msgspec.structs.replace(ME, groups=frozenset({"input"})),
            "a container or a unit may also forbid it",
        ),
        ("root:root 0600", ME, "install the udev rules"),
        ("root:input 0600", ME, "install the udev rules"),
    ],
)
def test_who_may_not_open_a_scanner_learns_how(
    access: str, person: Person, do: str
) -> None:
    shut = msgspec.structs.replace(KEYBOARD, openable=False, access=access)
    found = _only(_scanning(GUN, shut, person=person))
    assert f"scan may not open /dev/input/event5 ({access})" in found.text
    assert do in found.do


@pytest.mark.parametrize(
    "holder", [Holder(812, "python3"), Holder(5, "scantrail-stati")]
)
def test_the_station_itself_may_hold_its_scanners(holder: Holder) -> None:
    status = msgspec.structs.replace(STATUS, pid=812)
    facts = _scanning(GUN, KEYBOARD, holders={KEYBOARD.node: (holder,)}, status=status)
    assert _wrong(facts) == []


def test_what_is_not_configured_is_named_and_nothing_wrong() -> None:
    facts = _with(candidates=(KEYBOARD, TWIN))
    assert _wrong(facts) == []
    texts = [one.do for one in judge(facts)]
    assert any("identify evdev:/dev/input/by-path/one" in text for text in texts)
    assert any("others like it" in text for text in texts)


def test_the_words_are_for_a_terminal_of_80_columns() -> None:
    name = "\x1b[31mEvil\N{RIGHT-TO-LEFT OVERRIDE}" * 2
    odd = msgspec.structs.replace(KEYBOARD, name=name)
    facts = _scanning(
        GUN,
        odd,
        synced=False,
        ruled=frozenset(),
        config_problem="x " * 300,
        server=msgspec.structs.replace(SERVER, problem="down\nfor ever"),
    )
    lines = in_words(judge(facts))
    assert all(len(line) < 80 for line in lines)
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line and line[0] != " "] == [
        "scanners",
        "machine",
        "station",
        "server",
        "wrong: 2, to be looked at: 2",
    ]


def test_programs_read_it_as_json() -> None:
    found = json.loads(in_json(judge(_with(synced=False))))
    assert found["fine"] is False
    assert {"area", "severity", "text", "do"} == set(found["findings"][0])
    assert {one["severity"] for one in found["findings"]} <= {
        severity.value for severity in Severity
    }


# --- machines made of folders ---------------------------------------------------------


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def _configure(data: Path, *scanners: str) -> None:
    tables = [f"[[scanner]]\n{scanner}\n" for scanner in scanners]
    (data / "station.toml").write_text("\n".join(tables))


def test_a_machine_is_looked_at_under_its_root(machine: Machine, data: Path) -> None:
    node = machine.keyboard(5, "1-1.2")
    machine.ruled(node, "13:69")
    machine.serial("ttyUSB0", "1-3")
    machine.process(7, "Xorg", node)
    machine.process(8, "ModemManager")
    rules = machine.root / "usr/lib/udev/rules.d" / RULES
    machine.write(rules, "# ours\n")
    path = "/dev/input/by-path/pci-usb-1-1.2-event-kbd"
    _configure(data, f'kind = "keyboard"\npath = "{path}"')
    facts = gather(data, root=machine.root, person=ME)
    assert facts.named[path][0].node == node
    assert facts.holders == {node: (Holder(7, "Xorg"),)}
    assert facts.ruled == {node}
    assert facts.rules == f"/usr/lib/udev/rules.d/{RULES}"
    assert facts.processes == {"Xorg", "ModemManager"}
    assert [one.node for one in facts.candidates] == [node, "/dev/ttyUSB0"]


def test_rules_that_are_masked_are_not_installed(machine: Machine, data: Path) -> None:
    machine.write(machine.root / "usr/lib/udev/rules.d" / RULES, "# ours\n")
    machine.link(f"etc/udev/rules.d/{RULES}", "dev/null")
    assert gather(data, root=machine.root).rules == ""


def test_ports_are_found_by_ids_by_serial_number_and_by_any_path(
    machine: Machine, data: Path
) -> None:
    node = machine.serial("ttyUSB0", "1-3")
    machine.write(machine.root / "dev/pts/4")
    _configure(
        data,
        'kind = "serial"\nport = "0C2E:0B61"',
        'kind = "serial"\nport = "0c2e:0b61:s77"',
        'kind = "serial"\nport = "0c2e:0b61:other"',
        'kind = "ssi"\nport = "/dev/pts/4"',
        'kind = "serial"\nport = "/dev/nowhere"',
        'kind = "hid-pos"\npath = "0c2e:0b61"',
    )
    named = gather(data, root=machine.root).named
    assert {path: [one.node for one in found] for path, found in named.items()} == {
        "0C2E:0B61": [],  # named twice: as a port, and as a point-of-sale scanner
        "0c2e:0b61:s77": [node],
        "0c2e:0b61:other": [],
        "/dev/pts/4": ["/dev/pts/4"],
        "/dev/nowhere": [],
        "0c2e:0b61": [],
    } | {"0C2E:0B61": [node]}


def test_groups_are_those_that_are_written(machine: Machine) -> None:
    me = who()
    text = f"input:x:9:other,{me.name}\nempty:x:8:\nno line\n\nmine:x:7:{me.name}\n"
    machine.write(machine.root / "etc/group", text)
    assert who(machine.root).written == {"input", "mine"}
    assert me.superuser == (os.geteuid() == 0)


def test_the_disk_is_measured_and_left_as_it_was(data: Path) -> None:
    disk = measure(data)
    assert disk.flush is not None
    assert (disk.free > 0, disk.problem, list(data.iterdir())) == (True, "", [])
    assert measure(data / "nowhere").problem == "No such file or directory"


async def test_the_latest_reads_tell_of_identifiers_and_damage(data: Path) -> None:
    box = await Outbox.open(data / OUTBOX)
    base = Line(seq=0, at=to_text(NOW), action="see", item="P-1", raw="P-1")
    await box.append(
        [
            msgspec.structs.replace(base, device="gun", symbology="C0"),
            msgspec.structs.replace(base, device="gun", damaged=True),
            msgspec.structs.replace(base, device="eye"),
            msgspec.structs.replace(base, device="terminal"),
            msgspec.structs.replace(base, device="desk"),
            msgspec.structs.replace(base, raw=None, device=None),
        ]
    )
    await box.close()
    _configure(data, 'kind = "terminal"\nname = "desk"')
    facts = gather(data)
    assert facts.reads == (
        Reads(device="eye", reads=1),
        Reads(device="gun", reads=2, identified=1, damaged=1),
    )
    assert facts.newest == NOW


def test_an_examination_changes_nothing_and_opens_no_scanner(
    machine: Machine, data: Path
) -> None:
    """Run in a process whose every opening of a device would be seen."""
    machine.keyboard(5, "1-1")
    machine.hid(0, "1-2")
    machine.serial("ttyUSB0", "1-3")
    program = f"""
import sys
def seen(event, args):
    if event == "open" and "/root/dev/" in str(args[0]):
        sys.exit(f"opened {{args[0]}}")
sys.addaudithook(seen)
from pathlib import Path
from edge.doctor.examination import examine
examine(Path({str(data)!r}), root=Path({str(machine.root)!r}))
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert list(data.iterdir()) == []


def test_a_station_that_has_not_joined_asks_no_server(
    machine: Machine, data: Path
) -> None:
    clock = ClockReading(at=NOW, boot="b", mono=1, synced=True)
    found = examine(data, root=machine.root, person=ME, clock=lambda: clock)
    assert {one.area.value for one in found} == {"scanners", "machine", "station"}


def test_the_command_ends_with_1_where_something_is_wrong(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--data", str(data), "--offline"]) == 1
    assert "there is no station in" in capsys.readouterr().out
    assert main(["doctor", "--data", str(data), "--offline", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["fine"] is False


def test_an_identity_that_cannot_be_read_is_a_finding(
    machine: Machine, data: Path
) -> None:
    (data / "identity.json").write_text("{")
    found = examine(data, root=machine.root, person=ME)
    assert any("identity.json" in one.text for one in found if is_wrong(one))


def test_settings_of_every_kind_are_taken(machine: Machine, data: Path) -> None:
    machine.hid(0, "1-2")
    _configure(
        data,
        'kind = "hid-pos"\npath = "05e0:1300"',
        'kind = "listen"\nhost = "0.0.0.0"\nport = 9004',
        'kind = "terminal"',
    )
    words = in_words(examine(data, root=machine.root, person=ME, offline=True))
    assert any("hid-pos /dev/hidraw0" in line for line in words)
