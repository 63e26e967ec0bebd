"""What can go wrong, as types.

::

    ScantrailError
    ├── LineError        bytes that are no line of the contract
    ├── ConfigError      a setting that cannot be used: file, line, what was expected
    ├── ProtocolError    an answer or request that is not of the protocol
    └── StartError       a program cannot start: what happened, and what to do

An expected failure of a scan (unreadable, refused) is a value, never one of these.
"""

__all__ = [
    "ConfigError",
    "LineError",
    "ProtocolError",
    "ScantrailError",
    "StartError",
]


class ScantrailError(Exception):
    """Anything that Scantrail raises on purpose."""


class LineError(ScantrailError):
    """Bytes that are not a line; the text says why, for a person."""


class ProtocolError(ScantrailError):
    """A request or an answer that does not keep the contract."""


class StartError(ScantrailError):
    """A program cannot start; the text is one sentence that says what to do."""


class ConfigError(ScantrailError):
    """A setting that cannot be used.

    Args:
        source: The file, or the environment variable, that holds the setting.
        line: Where in the file, counted from 1; 0 where there is no such place.
        text: What is wrong, and what was expected.
    """

    def __init__(self, source: str, line: int, text: str) -> None:
        self.source = source
        self.line = line
        self.text = text
        super().__init__(f"{source}:{line}: {text}" if line else f"{source}: {text}")
