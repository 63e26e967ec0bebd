"""Setting a server up, its settings file, and looking at what is wrong."""

import asyncio
import re
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from server.api import wire
from server.cli import main
from server.config import ConsoleConfig, ServerConfig, TlsSettings, Webhook, load
from server.config_example import example
from server.doctor import finding, findings
from server.problems import ProblemError
from server.setup import written
from server.site_settings import ActionSettings
from shared.protocol import ProblemType
from shared.settings_example import descriptions
from shared.settings_file import parse_settings
from tests.authority import Authority
from tests.programs import Server


def init(folder: Path, *more: str) -> tuple[Path, Path, Sequence[str]]:
    file, data = folder / "etc" / "server.toml", folder / "data"
    return file, data, ("init", "--config", str(file), "--data", str(data), *more)


@pytest.mark.parametrize(
    "type_", [ServerConfig, TlsSettings, ConsoleConfig, Webhook, ActionSettings]
)
def test_every_setting_is_described(type_: type[msgspec.Struct]) -> None:
    described = descriptions(type_)
    for field in msgspec.structs.fields(type_):
        assert described[field.name].endswith("."), field.name


def test_the_example_says_nothing_but_the_defaults() -> None:
    assert parse_settings(example(), "example", ServerConfig) == ServerConfig()


def test_the_example_is_right_once_its_settings_are_taken_up(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    text = re.sub(r"^# (?=\w+ = (?!…)|\[)", "", example(), flags=re.MULTILINE)
    file.write_text(text)
    made = load(file, {})
    assert made.actions == {"quarantine": ActionSettings(like="store")}
    assert [hook.name for hook in made.webhooks] == ["shop"]
    bare = msgspec.structs.replace(made, actions={}, webhooks=())
    assert bare == ServerConfig()


def test_init_leads_to_a_server_that_can_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, data, command = init(tmp_path, "--port", "18443")
    assert main(command) == 0
    said = capsys.readouterr()
    assert re.fullmatch(r"sk_\S+\n", said.out)
    config = load(file, {})
    assert (config.data, config.port, config.tls.mode) == (str(data), 18443, "own")
    mark = re.findall(r":18443#(sha256:[0-9a-f]{64})'", said.err)
    assert len(mark) == 1
    assert (data / "tls" / "key.pem").stat().st_mode & 0o777 == 0o600
    assert said.out.strip() not in file.read_text()
    assert main(("check-config", str(file))) == 0


def test_init_changes_nothing_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, data, command = init(tmp_path, "--host", "127.0.0.1")
    assert main(command) == 0
    before = file.read_bytes(), sorted((data / "keys").iterdir())
    assert main(command) == 1
    assert "is there already" in capsys.readouterr().err
    file.unlink()
    assert main(command) == 0
    assert capsys.readouterr().out == ""  # a second key would be a surprise
    assert before == (file.read_bytes(), sorted((data / "keys").iterdir()))


def test_init_says_that_plain_http_to_others_is_no_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, command = init(tmp_path, "--host", "0.0.0.0", "--tls", "off")  # noqa: S104
    assert main(command) == 0
    assert "PLAIN HTTP" in capsys.readouterr().err


@pytest.mark.parametrize("more", [("--port", "70000"), ("--port", "x")])
def test_init_with_what_cannot_be_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: Sequence[str]
) -> None:
    _, _, command = init(tmp_path, *more)
    assert main(command) == 1
    assert "Nothing was changed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_is_written_is_read_as_it_was_meant() -> None:
    config = ServerConfig(
        data='/srv/"quoted"',
        host="::",
        port=8443,
        tls=TlsSettings(mode="files", cert="a.pem", key="b.pem"),
    )
    assert parse_settings(written(config), "file", ServerConfig) == config


def test_a_wrong_settings_file_is_found_without_starting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "server.toml"
    file.write_text('port = 1\n\n[tls]\nmode = "on"\n')
    assert main(("check-config", str(file))) == 1
    assert f"{file}:4:" in capsys.readouterr().err
    assert main(("check-config",)) == 1


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("mysql://scantrail:secret@db/scantrail", "is no address of a PostgreSQL"),
        ("postgresql:scantrail", "is no address of a PostgreSQL"),
        (
            "postgresql://scantrail:secret@db:x1/scantrail",
            "has a port that is no number",
        ),
    ],
)
def test_a_database_that_is_none_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, what: str
) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f'port = 1\n\n[store]\nurl = "{url}"\n')
    assert main(("check-config", str(file))) == 1
    said = capsys.readouterr().err
    assert f"{file}:4: store.url: {what}" in said
    assert "expected postgresql://USER@HOST/DATABASE" in said
    assert "secret" not in said
    assert "regex" not in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://scantrail@db1:5432,db2/scantrail?target_session_attrs=read-write",
        "postgresql://scantrail@/scantrail?host=%2Frun%2Fpostgresql",
        "postgres://scantrail:p%3Aw@[::1]:5432/scantrail",
        "postgresql:///scantrail",
    ],
)
def test_a_database_is_named_as_postgresql_does(tmp_path: Path, url: str) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f'[store]\nurl = "{url}"\n')
    assert load(file, {}).store.url == url


def test_a_password_file_is_looked_for_before_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, secret = tmp_path / "server.toml", tmp_path / "password"
    file.write_text(f'[store]\nurl = "postgresql:///x"\npassword_file = "{secret}"\n')
    assert main(("check-config", str(file))) == 1
    assert f"{secret}: No such file" in capsys.readouterr().err
    secret.write_text("\n")
    assert main(("check-config", str(file))) == 1
    assert "empty" in capsys.readouterr().err
    secret.write_text("right\n")
    assert main(("check-config", str(file))) == 0
    assert "right;" in capsys.readouterr().err


# --- doctor ---------------------------------------------------------------------------


def seen(config: ServerConfig, now: float | None = None) -> dict[str, str]:
    """Return the severities, by what they are of."""
    found = findings(config, time.time() if now is None else now)
    return {one.text: one.severity for one in found}


def severity(found: dict[str, str], part: str) -> str:
    (one,) = [severity for text, severity in found.items() if part in text]
    return one


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    assert main(init(tmp_path, "--port", "1")[2]) == 0  # nobody listens there
    return load(tmp_path / "etc" / "server.toml", {})


def test_doctor_sees_a_server_that_does_not_run(config: ServerConfig) -> None:
    found = seen(config)
    assert severity(found, "does not answer") == "wrong"
    assert severity(found, "never a backup") == "warning"
    assert severity(found, "the certificate is good") == "fine"
    assert severity(found, "keys, of these 1") == "fine"
    assert severity(found, "MiB are free") in {"fine", "warning"}


def test_doctor_sees_a_folder_that_is_not_there_and_makes_none(tmp_path: Path) -> None:
    data = tmp_path / "not-there"
    found = seen(ServerConfig(data=str(data)))
    assert list(found.values()) == ["wrong"]
    assert not data.exists()


def test_doctor_makes_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    own = ServerConfig(data=str(tmp_path / "data"), port=1, tls=TlsSettings(mode="own"))
    assert severity(seen(own), "no certificate yet") == "warning"
    assert not (tmp_path / "data" / "tls").exists()


def test_doctor_sees_what_is_open_to_others(config: ServerConfig) -> None:
    Path(config.data).chmod(0o755)
    (Path(config.data) / "keys").rename(Path(config.data) / "gone")
    plain = msgspec.structs.replace(config, tls=TlsSettings())
    found = seen(plain)
    assert severity(found, "can be read by other users") == "wrong"
    assert severity(found, "plain HTTP") == "wrong"
    assert severity(found, "no administrator's key") == "wrong"


@pytest.mark.parametrize(
    ("days", "wanted"), [(-3, "fine"), (0, "warning"), (3, "wrong")]
)
def test_doctor_sees_a_certificate_that_ends(
    config: ServerConfig, tmp_path: Path, days: int, wanted: str
) -> None:
    certificate, key = Authority(tmp_path).sign()
    files = TlsSettings(mode="files", cert=str(certificate), key=str(key))
    given = msgspec.structs.replace(config, tls=files)
    begun = -30 if days < 0 else days
    found = seen(given, time.time() + begun * 86_400)
    assert severity(found, "the certificate is good") == wanted


def test_doctor_tells_programs(
    config: ServerConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    file = str(tmp_path / "etc" / "server.toml")
    assert main(("doctor", "--config", file, "--json")) == 1
    del config
    told = msgspec.json.decode(capsys.readouterr().out)
    assert {"severity", "text", "do"} == set(told[0])


def test_doctor_does_not_take_another_server_for_its_own(tmp_path: Path) -> None:
    other, third = Server(tmp_path / "other"), Server(tmp_path / "third")
    other.start()
    try:
        port = int(other.url.rpartition(":")[2])
        mine = ServerConfig(data=str(tmp_path / "other"), port=port)
        assert severity(seen(mine), "answers, and takes writes") == "fine"
        third.start()
        third.stop()
        mine = ServerConfig(data=str(tmp_path / "third"), port=port)
        assert severity(seen(mine), "another server answers at") == "wrong"
    finally:
        other.stop()


def advice(config: ServerConfig, part: str) -> str:
    (found,) = [one.do for one in findings(config, time.time()) if part in one.text]
    return found


def test_doctor_names_units_only_where_they_are_installed(
    config: ServerConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "UNIT_FOLDERS", (tmp_path,))
    assert "systemctl" not in advice(config, "does not answer")
    assert "scantrail-server backup --data" in advice(config, "never a backup")
    for unit in ("scantrail-server.service", "scantrail-backup.timer"):
        (tmp_path / unit).touch()
    assert "systemctl status scantrail-server" in advice(config, "does not answer")
    assert "enable --now scantrail-backup.timer" in advice(config, "never a backup")


async def test_doctor_tells_what_a_server_says_as_text(config: ServerConfig) -> None:
    async def refuse(_: web.Request) -> web.Response:
        error = ProblemError(503, ProblemType.STORAGE, 'It is "full"\x1b[2J. Look.')
        return wire.problem(error)

    app = web.Application()
    app.router.add_get("/{rest:.*}", refuse)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        plain = msgspec.structs.replace(config, port=port, tls=TlsSettings())
        found = await asyncio.to_thread(seen, plain)
    finally:
        await runner.cleanup()
    text = f'http://127.0.0.1:{port}/readyz answers 503: It is "full"\\x1b[2J. Look.'
    assert found[text] == "wrong"


def test_before_an_upgrade_there_is_a_way_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, copies = tmp_path / "data", tmp_path / "copies"
    asked = ("upgrade-check", "--data", str(data), "--to", str(copies))
    data.mkdir()
    assert main(asked) == 1
    assert "is --data the server's folder" in capsys.readouterr().err
    server = Server(data)
    server.start()
    try:
        assert main(asked) == 0  # beside a server that runs
    finally:
        server.stop()
    said = capsys.readouterr()
    folder = Path(said.out.split()[1])
    assert folder.parent == copies
    assert f"restore {folder}" in said.err
    anew = tmp_path / "anew"
    assert main(("restore", str(folder), "--data", str(anew))) == 0
