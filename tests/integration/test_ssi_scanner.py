"""A Zebra scanner in SSI mode, on a pseudo-terminal."""

from pathlib import Path

from edge.clock import read_clock
from edge.scanners import Tone
from edge.scanners.port_settings import SsiSettings
from edge.scanners.ssi_scanner import SsiScanner
from edge.scanners.zebra_ssi import ACK, ANSWERS, NAK_RESEND, Packet, encode
from tests.integration.scanning import Desk, connected, pty_scanner, running, until

AGAIN, MORE = 1, 2


def decoded(text: bytes, status: int = 0) -> bytes:
    data = b"\x0f" + text
    return encode(Packet(opcode=0xF3, source=0, status=status, data=data))


def scanner_at(path: Path) -> SsiScanner:
    return SsiScanner(SsiSettings(port=str(path), name="ring"), read_clock)


async def test_the_scanner_is_acknowledged_and_beeps_only_after_the_commit(
    tmp_path: Path,
) -> None:
    async with connected(tmp_path, scanner_at) as (scanner, device, desk):
        device.type(decoded(b"00340123450000000018"))
        await desk.has(1)
        assert device.heard_now() == b""
        await scanner.confirm(desk.reads[0], Tone.GOOD)
        good = ANSWERS[Tone.GOOD]
        assert await device.heard(len(good)) == good
    assert [(r.raw, r.device) for r in desk.reads] == [
        (b"]C100340123450000000018", "ring")
    ]


async def test_a_resend_is_the_same_read_and_gets_the_same_answer(
    tmp_path: Path,
) -> None:
    desk = Desk()
    refusal = ANSWERS[Tone.ERROR]
    with pty_scanner(tmp_path) as device:
        scanner = scanner_at(device.path)
        async with running(scanner, desk):
            await until(lambda: scanner.health.connected)
            device.type(decoded(b"A"))
            await desk.has(1)
            device.type(decoded(b"A", AGAIN))
            await until(lambda: scanner.health.repeats == 1)
            assert device.heard_now() == b""
            await scanner.confirm(desk.reads[0], Tone.ERROR)
            assert await device.heard(len(refusal)) == refusal
            device.type(decoded(b"A", AGAIN))
            assert await device.heard(len(refusal)) == refusal
    assert desk.raws == [b"]C1A"]
    assert scanner.health.repeats == 2


async def test_f30_a_garbled_packet_is_refused_and_counted(tmp_path: Path) -> None:
    async with connected(tmp_path, scanner_at) as (scanner, device, desk):
        device.type(decoded(b"A")[:-1] + b"?")
        assert await device.heard(len(NAK_RESEND)) == NAK_RESEND
        device.type(decoded(b"A", AGAIN))
        assert await desk.has(1) == [b"]C1A"]
    assert scanner.health.damaged == 1


async def test_f22_unplugged_in_mid_message_is_recorded_as_damaged(
    tmp_path: Path,
) -> None:
    async with connected(tmp_path, scanner_at) as (scanner, device, desk):
        device.type(decoded(b"P-12", MORE))
        assert await device.heard(len(ACK)) == ACK
        device.unplug()
        await desk.has(1)
        assert not scanner.health.connected
        await scanner.confirm(desk.reads[0], Tone.ERROR)
    assert [(r.raw, r.damaged) for r in desk.reads] == [(b"P-12", True)]
