"""What the server counts of itself, in the text format of Prometheus.

Every label has few values: a route is its pattern, a station's name is an
administrator's choice, and of stations no more than MOST_STATIONS are told.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from server.store import Progress, Receipt
from shared.api.stations import StationState
from shared.moments import SECOND, to_moment

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
MOST_STATIONS = 500
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """One server's figures."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        where = self._registry
        ProcessCollector(registry=where)
        self._requests = Counter(
            *("scantrail_requests", "Requests answered", ["method", "route", "status"]),
            registry=where,
        )
        self._seconds = Histogram(
            *("scantrail_request_seconds", "Until a request was answered", ["route"]),
            buckets=_SECONDS,
            registry=where,
        )
        self._lines = Counter(
            *("scantrail_lines", "Lines that stations sent", ["outcome"]),
            registry=where,
        )
        self.streams = Gauge(
            "scantrail_streams", "Streams that are open", registry=where
        )
        self.slow = Gauge(
            *("scantrail_slow_readers", "Readers cut off as too slow, so far"),
            registry=where,
        )
        self.connections = Gauge(
            "scantrail_connections", "Connections that are open", registry=where
        )
        self._cut = Gauge(
            *("scantrail_connections_cut", "Connections cut, so far", ["why"]),
            registry=where,
        )
        self._hooks = Gauge(
            "scantrail_webhook_position",
            "Up to where a webhook was taken",
            ["webhook"],
            registry=where,
        )
        self._calls = Counter(
            *("scantrail_webhook_calls", "Calls made", ["webhook", "outcome"]),
            registry=where,
        )
        self._database = Gauge(
            "scantrail_database_up", "Whether the database answers", registry=where
        )
        self._remaking = Gauge(
            "scantrail_remaking_lines",
            "Lines from which answers are still to be made anew",
            registry=where,
        )
        self._late = Gauge(
            "scantrail_late_notes",
            "Notes of what came late that are not told anew",
            registry=where,
        )
        self._backup = Gauge(
            "scantrail_backup_timestamp_seconds",
            "When the latest checked backup was made; 0 where there is none",
            registry=where,
        )
        self._missing = Gauge(
            "scantrail_archive_files_missing",
            "Files of archived lines that are away, and a reader of them that is",
            registry=where,
        )
        self._exceptions = Gauge(
            *("scantrail_station_exceptions", "Open, of stations", ["code"]),
            registry=where,
        )
        self._untold = Gauge(
            "scantrail_station_untold_seconds",
            "How long ago the moment is up to which a station has told everything",
            ["station"],
            registry=where,
        )
        self._backlog = Gauge(
            "scantrail_station_backlog_lines",
            "Lines that a station had not sent when it was heard last",
            ["station"],
            registry=where,
        )

    def were_cut(self, cut: Mapping[str, int]) -> None:
        """Note how many connections were cut, by why."""
        for why, count in cut.items():
            self._cut.labels(why).set(count)

    def stored(self, *, answers: bool, remaking: Progress | None, late: int) -> None:
        """Note how the database is: whether it answers, and what is not told yet."""
        self._database.set(answers)
        self._remaking.set(0 if remaking is None else remaking.last - remaking.done)
        self._late.set(late)

    def backed_up(self, moment: int) -> None:
        """Note when the latest checked backup was made, in microseconds since 1970."""
        self._backup.set(moment / SECOND)

    def archive_lacks(self, files: int) -> None:
        """Note how many files of archived lines cannot be used."""
        self._missing.set(files)

    def hook_at(self, name: str, position: int) -> None:
        """Note up to where a webhook was taken."""
        self._hooks.labels(name).set(position)

    def hook_called(self, name: str, *, taken: bool) -> None:
        """Count a call of a webhook."""
        self._calls.labels(name, "taken" if taken else "not taken").inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def received(self, receipt: Receipt) -> None:
        """Count what came with a delivery."""
        self._lines.labels("appended").inc(receipt.appended)
        self._lines.labels("already").inc(receipt.already)
        self._lines.labels("quarantined").inc(len(receipt.quarantined))

    def text(self, stations: Iterable[StationState], now: int) -> bytes:
        """Write all figures, those of the stations as of now."""
        for gauge in (self._exceptions, self._untold, self._backlog):
            gauge.clear()
        active = [s for s in stations if s.kind == "station" and not s.revoked]
        for station in active[:MOST_STATIONS]:
            if station.horizon is not None:
                untold = max(0, now - to_moment(station.horizon))
                self._untold.labels(station.station).set(untold / SECOND)
            self._backlog.labels(station.station).set(station.backlog or 0)
        for station in active:
            for found in station.exceptions:
                self._exceptions.labels(found.code).inc()
        return generate_latest(self._registry)
