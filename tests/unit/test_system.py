"""The settings in force are shown, and nothing in them that could be a secret."""

import msgspec

from server.config import ServerConfig, StoreSettings, Webhook
from server.console.system import settings


def test_every_setting_is_there_with_whether_it_is_the_default() -> None:
    found = {one.name: one for one in settings(ServerConfig(port=9000))}
    assert {name.split(".")[0] for name in found} == set(
        msgspec.structs.asdict(ServerConfig())
    )
    assert (found["port"].value, found["port"].default) == ("9000", False)
    assert found["handoff_minutes"].default
    assert found["tls.mode"].value == "off"


def test_of_an_address_neither_the_login_nor_the_query_is_shown() -> None:
    hook = Webhook(name="a", url="https://h.example/x?token=hidden", secret_file="/s")  # noqa: S106 # a path
    store = StoreSettings(url="postgresql://me:hidden@db/x?password=hidden")
    config = ServerConfig(webhooks=(hook,), store=store)
    shown = "".join(one.value for one in settings(config))
    assert "hidden" not in shown
    assert "https://h.example/x" in shown
