"""Counters of the server, in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self.requests = Counter(
            "motionclip_requests", "Requests answered.", ("route", "method", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "motionclip_request_seconds", "Time to answer.", ("route",), buckets=_SECONDS, registry=self._registry
        )
        self.batch = Histogram(
            "motionclip_batch_size", "Sentences made together.", buckets=_SIZES, registry=self._registry
        )
        self.inside = Gauge("motionclip_requests_inside", "Requests that are being answered.", registry=self._registry)
        self.waiting = Gauge("motionclip_waiting", "Work that waits or is done.", ("line",), registry=self._registry)

    def text(self) -> bytes:
        """Returns the current values."""
        return generate_latest(self._registry)
