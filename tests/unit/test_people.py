"""Who signs in, and who is signed in."""

import io
from pathlib import Path

import pytest

from server.cli import main
from server.keys import Scope
from server.people import PasswordError, People, Role
from server.sessions import IDLE, SHIFT, WALL, WALL_IDLE, Sessions, form_token

PASSWORD = "correct horse"  # noqa: S105 # of nobody


@pytest.fixture
def people(tmp_path: Path) -> People:
    return People(tmp_path / "people")


@pytest.fixture
def sessions(tmp_path: Path, people: People) -> Sessions:
    return Sessions(tmp_path / "sessions", people)


def test_a_password_opens_for_its_person_however_the_name_is_written(
    people: People, tmp_path: Path
) -> None:
    people.put(" Ana Löwe ", Role.SUPERVISOR, PASSWORD, "now")
    found = people.check("ana löwe", PASSWORD)
    assert found is not None
    assert (found.name, found.role.scope) == ("Ana Löwe", Scope.SUPERVISE)
    assert people.check("ana löwe", "correct hors") is None
    assert people.check("nobody", PASSWORD) is None
    (file,) = (tmp_path / "people").iterdir()
    kept = file.read_text()
    assert PASSWORD not in kept
    assert "$argon2id$" in kept
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "password"),
    [("", PASSWORD), ("A\x00", PASSWORD), ("A", "short"), ("A", "x" * 201)],
)
def test_what_cannot_be_a_name_or_a_password_is_refused(
    people: People, name: str, password: str
) -> None:
    with pytest.raises(PasswordError):
        people.put(name, Role.VIEWER, password, "now")
    assert people.all() == []


@pytest.mark.parametrize("leaves", [KeyboardInterrupt, EOFError])
def test_who_leaves_at_the_password_is_told_that_nothing_was_changed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    leaves: type[BaseException],
) -> None:
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        raise leaves

    monkeypatch.setattr("getpass.getpass", ask)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    add = ("person", "add", "Ana", "--role", "viewer", "--data", str(tmp_path))
    assert main(add) == 1
    assert asked == ["Password (10 to 200 characters): "]
    told = "scantrail-server: no password was given; nothing was changed"
    assert capsys.readouterr().err.strip() == told
    assert not (tmp_path / "people").exists()


def test_who_is_added_where_no_server_started_is_added_with_a_doubt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    add = ("person", "add", "Ana", "--role", "viewer", "--data", str(tmp_path))
    assert main(add) == 0
    assert f"No server has started in {tmp_path} yet" in capsys.readouterr().err
    (tmp_path / "own-log.json").write_text("{}")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(add) == 0
    assert "No server" not in capsys.readouterr().err


def test_the_help_says_where_the_password_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(("person", "add", "--help"))
    said = " ".join(capsys.readouterr().out.split())
    assert "asks for the password (10 to 200 characters)" in said
    assert "first line of standard input, as from a pipe" in said


def test_a_session_ends_in_time_and_with_a_new_password(
    people: People, sessions: Sessions, tmp_path: Path
) -> None:
    ana = people.put("Ana", Role.SUPERVISOR, PASSWORD, "then")
    secret, _ = sessions.begin(ana, 0)
    sessions.use(secret, SHIFT - IDLE, by_itself=False)
    session = sessions.find(secret, SHIFT - 1)
    assert session is not None
    assert session.token == form_token(secret)
    assert all(
        secret not in file.name + file.read_text() for file in tmp_path.rglob("*.json")
    )
    assert sessions.find(secret, SHIFT) is None
    people.put("Ana", Role.VIEWER, PASSWORD, "later")
    assert sessions.find(secret, 1) is None


def test_a_screen_on_a_wall_stays_signed_in(people: People, sessions: Sessions) -> None:
    secret, _ = sessions.begin(people.put("Wall", Role.VIEWER, PASSWORD, "then"), 0)
    sessions.use(secret, WALL - WALL_IDLE, by_itself=True)
    assert sessions.find(secret, WALL - 1) is not None
    assert sessions.find(secret, WALL) is None


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "qwertyuiop",
        "Passw0rd123",
        "Scantrail2026",
        "warehouse1",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "ana löwe 1",
        "analöwe2026",
        "iloveyou123",
        "x" * 200,
    ],
)
def test_what_is_guessed_easily_is_no_password(people: People, password: str) -> None:
    with pytest.raises(PasswordError, match="guessed easily"):
        people.put("Ana Löwe", Role.VIEWER, password, "now")
    assert people.find("Ana Löwe") is None


@pytest.mark.parametrize(
    "password",
    ["tuesday rain bucket", "kX9#qpL2vT", "grün rabe ofen", "日本語のパスワード長い"],
)
def test_what_is_not_is_one(people: People, password: str) -> None:
    people.put("Ana", Role.VIEWER, password, "now")
    assert people.check("Ana", password) is not None


def test_a_session_ends_with_its_person_and_on_request(
    people: People, sessions: Sessions
) -> None:
    ana = people.put("Ana", Role.SUPERVISOR, PASSWORD, "then")
    (first, _), (second, _) = sessions.begin(ana, 0), sessions.begin(ana, 0)
    sessions.end(first)
    assert sessions.find(first, 1) is None
    assert sessions.find(second, 1) is not None
    assert people.remove("ANA")
    assert sessions.find(second, 1) is None


def test_one_person_has_no_more_than_so_many_sessions(
    people: People, sessions: Sessions
) -> None:
    ana = people.put("Ana", Role.SUPERVISOR, PASSWORD, "then")
    first, _ = sessions.begin(ana, 0)
    for minute in range(1, 21):
        sessions.begin(ana, minute)
    assert sessions.find(first, 30) is None
