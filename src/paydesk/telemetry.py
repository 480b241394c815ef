"""Logs and metrics of one process. Nothing here is global: both hang on the desk."""

import sys
from typing import Any, BinaryIO

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

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


class Metrics:
    """What is counted; shown on the admin listener when it comes."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = Counter("paydesk_requests", "Requests answered", ["route", "status"], registry=self.registry)
        self.request_seconds = Histogram(
            "paydesk_request_seconds", "From the headers to the answer", ["route"], registry=self.registry
        )
        self.refusals = Counter("paydesk_refusals", "Errors answered", ["code"], registry=self.registry)
        self.verdicts = Counter("paydesk_psp_verdicts", "What PSPs said", ["psp", "verdict"], registry=self.registry)
        self.deliveries = Counter("paydesk_deliveries", "Webhook attempts", ["result"], registry=self.registry)
        self.duties_failed = Counter(
            "paydesk_duties_failed", "Tries of duties that raised", ["kind", "failure"], registry=self.registry
        )
        self.duties_parked = Counter(
            "paydesk_duties_parked", "Duties parked for a person", ["kind"], registry=self.registry
        )
