"""``scantrail-server`` init and check-config: from nothing to one that can start."""

import argparse
import os
import pwd
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import msgspec

from server.config import ServerConfig, load
from server.config_example import example
from server.keys import Keys, Scope
from server.listening import certificate_of, is_loopback
from server.noted import note_act
from server.now import now
from shared import files
from shared.errors import ConfigError, StartError
from shared.moments import to_text
from shared.settings_example import toml_value
from shared.settings_file import read_secret_file

__all__ = ["add_commands", "init", "written"]

KEYS = "keys"
_USER = "scantrail-server"
_TLS = ("off", "own", "files")
_ABOUT = """\
Lead through setting a server up: where its data are, where it listens, how it encrypts.
Writes the settings file, makes the data folder, the first administrator's key, and a
certificate where one is wanted. What is not given is asked for, on a terminal; what is
there already stays. As root, what was made is given to the user scantrail-server.
"""


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 # the result


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 # for the person


# --- init -----------------------------------------------------------------------------


def written(config: ServerConfig) -> str:
    """Return a settings file that says what was chosen, and nothing else."""
    tls = config.tls
    chosen = {"data": config.data, "host": config.host, "port": config.port}
    secured = {
        name: value
        for name, value in msgspec.structs.asdict(tls).items()
        if value or name == "mode"
    }
    return "\n".join(
        [
            "# Written by scantrail-server init. Every setting and its meaning:",
            "# scantrail-server check-config --example",
            "",
            *(f"{name} = {toml_value(value)}" for name, value in chosen.items()),
            "",
            "[tls]",
            *(f"{name} = {toml_value(value)}" for name, value in secured.items()),
            "",
        ]
    )


def init(options: argparse.Namespace) -> None:
    """Set a server up."""
    file: Path = options.config
    if file.exists():
        reason = (
            f"{file} is there already; change it with an editor, or choose another "
            "--config. Nothing was changed"
        )
        raise StartError(reason)
    config = _chosen(options, _asked if sys.stdin.isatty() else _default)
    data = Path(config.data)
    _make(data, file, written(config))
    certificate = certificate_of(config)
    key = "" if any((data / KEYS).glob("*.json")) else _first_key(data)
    _give_away(data, options.owner)
    mark = certificate.fingerprint if certificate else ""
    for line in _next_steps(config, file, mark):
        _note(line)
    if key:
        _note("The first administrator's key; it is shown only now:")
        _say(key)


Ask = Callable[[str, str], str]


def _asked(question: str, default: str) -> str:
    """Ask on the terminal."""
    _note(f"{question} [{default}]")
    return sys.stdin.readline().strip() or default


def _default(_: str, default: str) -> str:
    return default


def _chosen(options: argparse.Namespace, ask: Ask) -> ServerConfig:
    """Return the settings; what was not given is asked for."""
    data = options.data or ask("Where to keep everything?", "/var/lib/scantrail-server")
    host = options.host or ask(
        "Which address to listen on? 127.0.0.1: only behind a proxy on this machine; "
        "0.0.0.0: from every machine",
        "0.0.0.0",  # noqa: S104 # stations are other machines; [tls] goes with it
    )
    mode = options.tls or ask(
        "TLS? own: a certificate that stations join by; files: you have one; off",
        "off" if is_loopback(host) else "own",
    )
    port = options.port or ask("Which port?", "8080" if mode == "off" else "8443")
    cert, key = options.cert, options.key
    if mode == "files":
        cert = cert or ask("The certificate's file?", "")
        key = key or ask("Its key's file?", "")
    tls = {"mode": mode, "cert": cert, "key": key, "names": options.name}
    given = {"data": data, "host": host, "port": port, "tls": tls}
    try:
        return msgspec.convert(given, ServerConfig, strict=False)
    except msgspec.ValidationError as error:
        reason = f"this cannot be: {error}. Nothing was changed"
        raise StartError(reason) from error


def _make(data: Path, file: Path, text: str) -> None:
    try:
        files.make_folder(data)
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write(file, text.encode())
        file.chmod(0o644)  # no secret is in it, and the server is another user
    except OSError as error:
        reason = f"{error.filename or file} cannot be written: {error.strerror}"
        raise StartError(reason) from error


def _first_key(data: Path) -> str:
    made, name = to_text(now()), "the first administrator"
    note_act(data, f"key made: scope {Scope.ADMIN.value} for {name}", made)
    return Keys(data / KEYS).create(Scope.ADMIN, made, name)


def _give_away(data: Path, owner: str) -> None:
    """Give the folder to the user that the server runs as, where root made it."""
    if os.geteuid() != 0:
        return
    try:
        user = pwd.getpwnam(owner)
    except KeyError:
        _note(f"There is no user {owner} here: {data} is root's. See systemd-sysusers.")
        return
    for path in (data, *data.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _next_steps(config: ServerConfig, file: Path, fingerprint: str) -> list[str]:
    scheme = "http" if config.tls.mode == "off" else "https"
    mark = f"#{fingerprint}" if config.tls.mode == "own" else ""
    plain = scheme == "http" and not is_loopback(config.host)
    warning = ["PLAIN HTTP to other machines: everybody on the way can read it."]
    return [
        *(warning if plain else ()),
        f"Written: {file}. Start the server:",
        "  systemctl enable --now scantrail-server",
        f"  (or: scantrail-server serve --config {file})",
        "Let a station join, with a code for each:",
        "  scantrail-server station-code DOCK-1 --location DOCK-1 --key KEY \\",
        f"    --server '{scheme}://THIS-MACHINE:{config.port}{mark}'",
    ]


# --- check-config ---------------------------------------------------------------------


def check_config(options: argparse.Namespace) -> None:
    """Say whether a settings file is right, or print one with every setting."""
    if options.example:
        _say(example().rstrip("\n"))
        return
    if options.file is None:
        reason = "which file? scantrail-server check-config FILE, or --example"
        raise StartError(reason)
    config = load(options.file, MappingProxyType({}))
    _see_that_secrets_are_there(config)
    _note(
        f"{options.file} is right; data in {config.data}; listens on {config.host} "
        f"port {config.port}; TLS: {config.tls.mode}"
    )


def _see_that_secrets_are_there(config: ServerConfig) -> None:
    """See that the database's password can be read, where a file is to have it.

    Raises:
        ConfigError: It cannot.
    """
    named = config.store.password_file
    if named and not read_secret_file(Path(named)):
        raise ConfigError(named, 0, "empty; it should hold a secret")


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add the commands to the program's."""
    add = commands.add_parser(
        "init",
        help="lead through setting a server up",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add.add_argument(
        "--config",
        type=Path,
        default=Path("/etc/scantrail/server.toml"),
        metavar="FILE",
        help="the settings file to write (default: %(default)s)",
    )
    add.add_argument("--data", metavar="DIR", help="where everything is kept")
    add.add_argument("--host", metavar="H", help="the address to listen on")
    add.add_argument("--port", metavar="N", help="the port")
    add.add_argument("--tls", choices=_TLS, help="how to encrypt")
    add.add_argument("--cert", metavar="FILE", default="", help="for files: in PEM")
    add.add_argument("--key", metavar="FILE", default="", help="for files: its key")
    add.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="for own: what else the server is called; may be repeated",
    )
    add.add_argument(
        "--owner",
        default=_USER,
        metavar="USER",
        help="who runs it (default: %(default)s)",
    )
    add.set_defaults(run=init)

    add = commands.add_parser(
        "check-config",
        help="say whether a settings file is right; --example prints one with all",
    )
    add.add_argument("file", nargs="?", type=Path, metavar="FILE")
    add.add_argument(
        "--example",
        action="store_true",
        help="print a file with every setting and its meaning instead",
    )
    add.set_defaults(run=check_config)
