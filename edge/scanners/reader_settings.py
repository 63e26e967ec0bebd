"""What a network or fixed-mount reader is: its configuration."""

import ipaddress
from typing import Annotated

import msgspec

from edge.scanners.port_settings import FramingSettings, Marker, Name, marker_bytes
from edge.scanners.profiles import ProfileName

__all__ = ["ListenSettings", "ReaderSettings", "TcpSettings"]

Host = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class ReaderSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """A network or fixed-mount reader; the fields that ``tcp`` and ``listen`` share.

    Attributes:
        name: What the reader is called in events and messages; else its address.
        framing: Where one message ends and the next begins.
        no_read: Messages that say that nothing was read; counted, never items.
        heartbeat: Messages that say that the reader is alive; nothing else.
        separator: What stands between several codes of one trigger, or nothing.
        same_code_ms: For how long after it was last seen the same code is the same
            read, in milliseconds; 0: never.
        idle_timeout_s: Seconds of silence after which a connection is given up; 0:
            never. Only for readers with a heartbeat.
        profile: What is sent to the reader after a scan has been saved or refused.
    """

    name: Name = ""
    framing: FramingSettings = FramingSettings(idle_gap_ms=2000)
    no_read: Annotated[tuple[Marker, ...], msgspec.Meta(max_length=16)] = ("NOREAD",)
    heartbeat: Annotated[tuple[Marker, ...], msgspec.Meta(max_length=16)] = ()
    separator: Marker = ""
    same_code_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)] = 2000
    idle_timeout_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0
    profile: ProfileName = "none"

    def __post_init__(self) -> None:
        """Refuse markers that are no bytes.

        Raises:
            ValueError: Which marker, and why.
        """
        for marker in (*self.no_read, *self.heartbeat, self.separator):
            marker_bytes(marker)

    @property
    def no_read_bytes(self) -> frozenset[bytes]:
        """``no_read`` as the reader sends it."""
        return frozenset(map(marker_bytes, self.no_read))

    @property
    def heartbeat_bytes(self) -> frozenset[bytes]:
        """``heartbeat`` as the reader sends it."""
        return frozenset(map(marker_bytes, self.heartbeat))

    @property
    def separator_bytes(self) -> bytes:
        """``separator`` as the reader sends it."""
        return marker_bytes(self.separator)


class TcpSettings(
    ReaderSettings, frozen=True, kw_only=True, tag_field="kind", tag="tcp"
):
    """A reader that we connect to.

    The fields of ``ReaderSettings``, and:

    Attributes:
        host: Its address or host name.
        port: Its TCP port.
        connect_timeout_s: Seconds to wait for a connection.
        retry_limit_s: Seconds between two attempts, at most.
    """

    host: Host
    port: Port
    connect_timeout_s: Annotated[int, msgspec.Meta(ge=1, le=120)] = 5
    retry_limit_s: Annotated[int, msgspec.Meta(ge=1, le=300)] = 5

    @property
    def device(self) -> str:
        """The reader's name."""
        return self.name or f"{self.host}:{self.port}"


class ListenSettings(
    ReaderSettings, frozen=True, kw_only=True, tag_field="kind", tag="listen"
):
    """Readers that connect to us; each is named NAME@ADDRESS.

    The fields of ``ReaderSettings``, and:

    Attributes:
        host: The address of this machine to listen on.
        port: The TCP port to listen on.
        allow: Addresses or networks that may connect, as in 10.1.2.0/24.
        max_connections: Connections at one time, at most.
    """

    host: Host
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    allow: Annotated[tuple[Name, ...], msgspec.Meta(max_length=256)] = (
        "127.0.0.0/8",
        "::1",
    )
    max_connections: Annotated[int, msgspec.Meta(ge=1, le=256)] = 8

    def __post_init__(self) -> None:
        """Refuse what is no address.

        Raises:
            ValueError: Which entry of ``allow`` is no address and no network.
        """
        super().__post_init__()
        _ = self.networks

    @property
    def networks(
        self,
    ) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """``allow`` as networks."""
        return tuple(map(ipaddress.ip_network, self.allow))

    @property
    def device(self) -> str:
        """The name that the readers share."""
        return self.name or f"{self.host}:{self.port}"
