"""Logs and metrics of one process. Nothing here is global: both hang on the desk."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Log:
    """One JSON object per line, on standard error. Never given a secret, a card number or a body."""

    def __init__(self, level: str = "info", file: BinaryIO | None = None) -> None:
        self._log: Any = structlog.wrap_logger(
            structlog.BytesLogger(file or sys.stderr.buffer),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.format_exc_info,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.processors.JSONRenderer(serializer=_json),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        ).bind()

    def info(self, event: str, **facts: object) -> None:
        self._log.info(event, **facts)

    def warning(self, event: str, **facts: object) -> None:
        self._log.warning(event, **facts)

    def error(self, event: str, **facts: object) -> None:
        self._log.error(event, **facts)


def _json(facts: dict[str, Any], **_: object) -> bytes:
    return msgspec.json.encode(facts, enc_hook=str)


COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """What is counted; shown on the admin listener, beside what is counted when somebody looks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = Counter("paydesk_requests", "Requests answered", ["route", "status"], registry=self.registry)
        self.request_seconds = Histogram(
            "paydesk_request_seconds", "From the headers to the answer", ["route"], registry=self.registry
        )
        self.refusals = Counter("paydesk_refusals", "Errors answered", ["code"], registry=self.registry)
        self.verdicts = Counter("paydesk_psp_verdicts", "What PSPs said", ["psp", "verdict"], registry=self.registry)
        self.notices = Counter(
            "paydesk_notices", "Calls of PSPs: new, repeated, or refused", ["result"], registry=self.registry
        )
        self.deliveries = Counter("paydesk_deliveries", "Webhook attempts", ["result"], registry=self.registry)
        self.duties_failed = Counter(
            "paydesk_duties_failed", "Tries of duties that raised", ["kind", "failure"], registry=self.registry
        )
        self.duties_parked = Counter(
            "paydesk_duties_parked", "Duties parked for a person", ["kind"], registry=self.registry
        )
        self.commit_seconds = Histogram(
            "paydesk_commit_seconds", "COMMIT, fsync included", buckets=COMMIT_SECONDS, registry=self.registry
        )


def gauge(
    name: str, says: str, value: float | Mapping[tuple[str, ...], float], *, labels: Sequence[str] = ()
) -> Family:
    """A figure as it is now, or one for each combination of labels."""
    family = GaugeMetricFamily(name, says, labels=labels)
    for values, number in value.items() if isinstance(value, Mapping) else [((), value)]:
        family.add_metric(values, number)
    return family


def counter(name: str, says: str, value: float) -> Family:
    """A figure that only grows for as long as the process lives."""
    return CounterMetricFamily(name, says, value=value)


def of_process() -> Iterable[Family]:
    """Memory, CPU and files of this process, under the names that everybody uses."""
    return ProcessCollector(registry=None).collect()


def as_text(families: Iterable[Family]) -> bytes:
    """In Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
    return generate_latest(_Collected(families))  # type: ignore[arg-type]


class _Collected:
    """What `generate_latest` wants to be handed: something that was collected already."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families
