"""``scantrail-station`` as a person starts it: real processes."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.edge_server import Server

STATION = (
    sys.executable,
    "-c",
    "import sys; from edge.cli import main; sys.exit(main())",
)
BOUND = 30.0


def _environ(more: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SCANTRAIL_")}
    return {**kept, "PYTHONIOENCODING": "utf-8", **(more or {})}


def station(
    *arguments: str, given: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STATION, *arguments],
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=BOUND,
        check=False,
        env=_environ(env),
    )


class Run:
    """A command that runs beside the test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, *arguments: str, stdin: int | None = None) -> "Run":
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(
                *STATION,
                *arguments,
                stdin=pipe if stdin is None else stdin,
                stdout=pipe,
                stderr=pipe,
                env=_environ(),
            )
        )

    async def scan(self, code: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{code}\n".encode())
        return await self.line()

    async def line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(BOUND):
            return (await self.process.stdout.readline()).decode()

    async def over(self) -> tuple[int | None, str, str]:
        if self.process.stdin is not None:
            self.process.stdin.close()
        async with asyncio.timeout(BOUND):
            out, err = await self.process.communicate()
        return self.process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("command", ["", "join", "run", "status", "check-config"])
def test_help_is_for_newcomers(command: str) -> None:
    said = station(*filter(None, [command]), "--help")
    assert said.returncode == 0
    assert said.stderr == ""
    assert "scantrail-station" in said.stdout
    assert "--data DIR" in said.stdout or not command


MISTAKES = [
    (["status", "--data", "{}/none"], "there is no station in"),
    (["join", "CODE"], "scantrail-station join URL CODE"),
    (["join", "https://s.example.org", "--data", "{}"], "which code?"),
    (["join", "127.0.0.1:8080", "CODE"], "'127.0.0.1:8080' has no http:// or https://"),
    (["join", "a", "b", "c"], "expected one URL and one CODE"),
    (["join", "http://192.0.2.1", "CODE", "--data", "{}"], "is not encrypted"),
    (["join", "http://127.0.0.1:1", "CODE", "--data", "{}"], "Nothing was changed"),
    (["run", "--data", "{}", "--scanner", "laser:9"], "--scanner: 'laser:9'; expected"),
    (["run", "--data", "{}", "--config", "{}/x.toml"], "x.toml: No such file"),
    (["run", "--data", "{}", "--drain"], "has not joined a server"),
    (["check-config", "--data", "{}"], "station.toml: No such file"),
]


@pytest.mark.parametrize(("arguments", "reason"), MISTAKES)
def test_what_cannot_be_done_is_said_in_one_sentence(
    tmp_path: Path, arguments: list[str], reason: str
) -> None:
    said = station(*(word.format(tmp_path) for word in arguments))
    assert said.returncode == 1
    assert said.stdout == ""
    assert reason in said.stderr
    assert said.stderr.count("\n") == 1
    assert said.stderr.startswith("scantrail-station: ")


def test_a_wrong_configuration_is_named_by_file_line_and_what_was_expected(
    tmp_path: Path,
) -> None:
    path = tmp_path / "station.toml"
    path.write_text('# mine\n[workflow]\nstrat = "pick"\n')
    for command in ("run", "check-config"):
        said = station(command, "--data", str(tmp_path))
        assert said.returncode == 1
        assert f"{path}:3: workflow: 'strat' is no setting; do you mean 'start'?" in (
            said.stderr
        )


def test_the_example_configuration_is_right(tmp_path: Path) -> None:
    said = station("check-config", "--example")
    path = tmp_path / "e.toml"
    path.write_text(said.stdout, encoding="utf-8")
    checked = station("check-config", str(path))
    assert (checked.returncode, checked.stdout) == (0, "")
    assert "e.toml is right" in checked.stderr


def test_piped_scans_are_saved_without_a_server(tmp_path: Path) -> None:
    data = str(tmp_path / "s")
    said = station("run", "--data", data, given="X-RECEIVE\nP-1\nP-1\n")
    assert said.returncode == 0
    words = [line.split("  ")[0].strip() for line in said.stdout.splitlines()]
    assert words == ["✔ SAVED, WAITING", "✔ SAVED, WAITING", "▲ REPEAT"]
    assert "\x1b" not in said.stdout
    assert "3 lines wait for the server, safe in" in said.stderr
    status = json.loads(station("status", "--data", data, "--json").stdout)
    assert (status["saved"], status["waiting"], status["running"]) == (3, 3, False)


def test_f25_binary_input_is_kept_and_shown_harmlessly(tmp_path: Path) -> None:
    data = str(tmp_path / "s")
    said = subprocess.run(
        [*STATION, "run", "--data", data, "--scanner", "terminal"],
        input=b"\xff\xfe\x00\x1b[2Jx\n\x1b]0;title\x07\n",
        capture_output=True,
        timeout=BOUND,
        check=False,
        env=_environ(),
    )
    assert said.returncode == 0
    assert b"\x1b" not in said.stdout
    assert b"\x07" not in said.stdout
    assert said.stdout.count(b"UNKNOWN") == 2


def test_nothing_to_scan_with_is_said(tmp_path: Path) -> None:
    with Path(os.devnull).open() as nothing:
        said = subprocess.run(
            [*STATION, "run", "--data", str(tmp_path)],
            stdin=nothing,
            capture_output=True,
            text=True,
            timeout=BOUND,
            check=False,
            env=_environ(),
        )
    assert said.returncode == 1
    assert "no scanner is named" in said.stderr


async def test_join_run_drain_and_status_against_a_server(tmp_path: Path) -> None:
    data = str(tmp_path / "s")
    async with Server().running() as server:
        joined = await Run.start("join", server.url, server.code, "--data", data)
        assert (await joined.over())[:2] == (0, "")
        run = await Run.start("run", "--data", data, "--drain")
        assert (
            "received at DOCK"
            in [await run.scan(code) for code in ("X-RECEIVE", "P-1")][-1]
        )
        status = await Run.start("status", "--data", data)
        code, told, _ = await status.over()
        assert code == 0
        assert "running       yes" in told
        assert "DOCK-1 at DOCK" in told
        code, rest, _ = await run.over()
        assert (code, rest) == (0, "")
        (lines,) = server.model.logs.values()
        assert len(lines) == 2


async def test_join_takes_the_code_from_standard_input(tmp_path: Path) -> None:
    async with Server().running() as server:
        run = await Run.start("join", server.url, "-", "--data", str(tmp_path))
        assert run.process.stdin is not None
        run.process.stdin.write(f"{server.code}\n".encode())
        assert (await run.over())[0] == 0
        assert server.code == ""


async def test_a_drain_that_is_interrupted_is_no_success(tmp_path: Path) -> None:
    data = str(tmp_path / "s")
    async with Server().running() as server:
        joined = await Run.start("join", server.url, server.code, "--data", data)
        await joined.over()
    run = await Run.start("run", "--data", data, "--drain")
    await run.scan("P-1")
    assert run.process.stdin is not None
    run.process.stdin.close()
    assert run.process.stderr is not None
    async with asyncio.timeout(BOUND):
        while b"waiting, safe here" not in await run.process.stderr.readline():
            pass
    run.process.send_signal(signal.SIGTERM)
    code, _, err = await run.over()
    assert code == 1
    assert "1 lines wait for the server, safe in" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_told_to_end_it_ends_cleanly(tmp_path: Path, number: int) -> None:
    run = await Run.start("run", "--data", str(tmp_path), "--scanner", "terminal")
    assert "SAVED" in await run.scan("P-1")
    run.process.send_signal(number)
    code, _, err = await run.over()
    assert code == 0
    assert "Traceback" not in err


async def test_f01_what_was_confirmed_survives_kill_9(tmp_path: Path) -> None:
    data = str(tmp_path)
    run = await Run.start("run", "--data", data)
    for number in range(3):
        assert "SAVED" in await run.scan(f"P-{number}")
    run.process.kill()
    await run.over()
    status = json.loads(station("status", "--data", data, "--json").stdout)
    assert (status["saved"], status["running"]) == (3, False)


async def test_f13_a_second_station_on_the_same_data_is_refused(
    tmp_path: Path,
) -> None:
    run = await Run.start("run", "--data", str(tmp_path))
    assert "SAVED" in await run.scan("P-1")
    second = station("run", "--data", str(tmp_path))
    assert second.returncode == 1
    assert "another station" in second.stderr
    assert run.process.returncode is None
    assert (await run.over())[0] == 0


async def test_at_a_terminal_scans_are_typed_and_answered_in_colour(
    tmp_path: Path,
) -> None:
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *STATION,
            *("run", "--data", str(tmp_path)),
            stdin=theirs,
            stdout=theirs,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environ({"TERM": "xterm"}),
        )
        os.write(ours, b"P-1\n")
        seen = b""
        async with asyncio.timeout(BOUND):
            while b"P-1 seen" not in seen:
                seen += await asyncio.to_thread(os.read, ours, 4096)
            os.write(ours, b"\x04")
            assert await process.wait() == 0
        assert b"\x1b[1;32m" in seen
    finally:
        os.close(ours)
        os.close(theirs)


async def test_a_reader_of_its_output_that_leaves_ends_nothing(tmp_path: Path) -> None:
    data = str(tmp_path)
    ours, theirs = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *STATION,
        *("run", "--data", data),
        stdin=asyncio.subprocess.PIPE,
        stdout=theirs,
        stderr=asyncio.subprocess.PIPE,
        env=_environ(),
    )
    os.close(theirs)
    os.close(ours)
    async with asyncio.timeout(BOUND):
        _, err = await process.communicate(b"P-1\nP-2\n")
    assert process.returncode == 0
    assert b"Traceback" not in err
    status = json.loads(station("status", "--data", data, "--json").stdout)
    assert status["saved"] == 2
