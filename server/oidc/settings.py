"""The settings of signing in by an identity provider."""

from typing import Annotated, Literal

import msgspec

__all__ = ["OidcSettings", "RoleName"]

RoleName = Literal["viewer", "operator", "supervisor", "administrator"]


class OidcSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Whose word is taken for who somebody is.

    Attributes:
        issuer: The provider's address, as it calls itself; empty for no provider.
        client_id: What this server is called there.
        secret_file: A file with the client's secret; empty where it has none.
        address: How browsers reach this server, like https://scan.example.org; the
            provider leads back to its path /sign-in/oidc/back.
        called: What the button says after "Sign in with", and what stands behind the
            names of those who come that way.
        name_claim: The claim that is a person's name here.
        role_claim: The claim that lists what a person may do; dots lead into it.
        roles: By a value of that claim, the role here; whoever has none is not let in.
    """

    issuer: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s@?#]+)?$")] = ""
    client_id: str = ""
    secret_file: str = ""
    address: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s@?#/]+)?$")] = ""
    called: Annotated[str, msgspec.Meta(pattern=r"^[\w][\w .-]{0,29}$")] = "SSO"
    name_claim: str = "preferred_username"
    role_claim: str = "roles"
    roles: dict[str, RoleName] = {}
