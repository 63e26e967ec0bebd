"""Moments in the site's zone; the exact ones, in UTC, stand behind them."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import ConfigError
from shared.moments import SECOND, to_moment

__all__ = ["Clock"]

_SETTING = "console.zone"


class Clock:
    """The zone of a site.

    Args:
        zone: Its name, such as Europe/Berlin; empty for that of this machine.

    Raises:
        ConfigError: There is no such zone.
    """

    def __init__(self, zone: str) -> None:
        self._zone: tzinfo | None = None
        try:
            self._zone = ZoneInfo(zone) if zone else None
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            reason = (
                f"{zone!r} is no time zone that this machine knows; "
                "expected one such as Europe/Berlin (Debian: package tzdata)"
            )
            raise ConfigError(_SETTING, 0, reason) from error

    def local(self, moment: int) -> datetime:
        """Return a moment in the site's zone."""
        when = datetime.fromtimestamp(moment // SECOND, UTC)
        return when.astimezone(self._zone)

    def day(self, moment: int) -> str:
        """Write the day."""
        return self.local(moment).strftime("%Y-%m-%d")

    def date(self, moment: int) -> str:
        """Write the day without its year."""
        return self.local(moment).strftime("%m-%d")

    def midnight(self, moment: int) -> int:
        """Return when the day of a moment began."""
        day = self.local(moment).replace(hour=0, minute=0, second=0, tzinfo=None)
        return self.moment(day.isoformat())

    def hour(self, moment: int) -> str:
        """Write the hour of a moment, with its day."""
        return self.local(moment).strftime("%m-%d %H:00")

    def time(self, moment: int) -> str:
        """Write the time of the day."""
        return self.local(moment).strftime("%H:%M:%S")

    def field(self, moment: int) -> str:
        """Write a moment as a form's field holds it."""
        return self.local(moment).strftime("%Y-%m-%dT%H:%M:%S")

    def zone(self, moment: int) -> str:
        """Return what the zone is called at a moment."""
        return self.local(moment).tzname() or "UTC"

    def moment(self, text: str) -> int:
        """Read a moment: with an offset, or without one in the site's zone.

        Raises:
            ValueError: It is none.
        """
        try:
            return to_moment(text)
        except ValueError:
            found = datetime.fromisoformat(text)
            if found.tzinfo is not None:
                raise
            aware = found.replace(tzinfo=self._zone)
            return int(aware.timestamp()) * SECOND + found.microsecond
