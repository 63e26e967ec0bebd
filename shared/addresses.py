"""How a server's address is typed. Pure."""

__all__ = ["has_scheme", "without_scheme"]


def has_scheme(address: str) -> bool:
    """Whether an address says which protocol is spoken there."""
    return address.lower().startswith(("http://", "https://"))


def without_scheme(address: str) -> str:
    """Return the sentence for a server's address that does not say it."""
    return (
        f"the server's address {address!r} has no http:// or https:// before "
        "it; expected one such as http://127.0.0.1:8080"
    )
