"""What a run left behind: every violation, and how often everything happened."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.kills.audit import audit
from tests.kills.client import Client
from tests.kills.promises import broken_promises
from tests.kills.tables import number
from tests.stage.stage import Merchant


class Report(Struct, frozen=True, kw_only=True):
    """What became of a run."""

    violations: list[str]
    counts: dict[str, int]
    """In the order in which they are shown."""


class Ended(Struct, frozen=True, kw_only=True):
    """A run that is over, its server stopped."""

    data: Path
    log: Path
    books: dict[str, Any]
    faults: dict[str, int]
    """How often the PSP met each kind."""
    clients: Sequence[Client]
    merchants: Sequence[Merchant]

    @property
    def received(self) -> list[dict[str, Any]]:
        return [one.event for shop in self.merchants for one in shop.receiver.received if one.answered == 200]

    @property
    def told(self) -> Counter[str]:
        return sum((client.counts for client in self.clients), Counter())


def violations(ended: Ended) -> list[str]:
    """Everything that should not be."""
    database = ended.data / "paydesk.db"
    promises = [promise for client in ended.clients for promise in client.promises]
    found = [wrong for client in ended.clients for wrong in client.wrong]
    found += [f"a receiver refused: {why}" for merchant in ended.merchants for why in merchant.receiver.refused]
    found += broken_promises(database, promises)
    found += audit(database, ended.books, ended.received)
    found += refused_by_commands(ended.data)
    found += [f"the server logged {line}" for line in _errors(ended.log)]
    return found


def counts(ended: Ended) -> dict[str, int]:
    """How often everything happened, as it is shown."""
    told, received = ended.told, ended.received
    charged = Counter(charge["status"] for charge in ended.books["charges"])
    refunded = Counter(refund["status"] for refund in ended.books["refunds"])
    return {
        "intents opened": told["opened"],
        "told as paid or held": told["paid"],
        "told as declined": told["declined"],
        "captures": told["captures"],
        "cancels": told["cancels"],
        "refunds": told["refunds"],
        "disputes": told["disputes"],
        "notices": number(ended.data / "paydesk.db", "SELECT count(*) FROM notices WHERE status = 'applied'"),
        "double clicks": told["double clicks"],
        "requests without an answer": told["no answer"],
        "outcomes waited for": told["unknown or running"],
        "repeats": told["repeats"],
        "captured by the PSP": charged["captured"],
        "declined by the PSP": charged["declined"],
        "released by the PSP": charged["released"],
        "refunded by the PSP": refunded["succeeded"],
        "refunds sent back": refunded["failed"],
        "faults of the PSP": sum(ended.faults.values()),
        "events taken": len(received),
        "of these again": len(received) - len({event["id"] for event in received}),
    }


def refused_by_commands(data: Path) -> Iterator[str]:
    """What the operator's own commands find in a stopped database."""
    for what in ("ledger", "audit"):
        command = [sys.executable, "-m", "paydesk", what, "verify", "--data", str(data), "--json"]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        if done.returncode:
            yield f"`paydesk {what} verify` says {done.stdout or done.stderr}"


def _errors(log: Path) -> Iterator[str]:
    """What is worse than a warning, or no line of a log at all. A kill may cut the last line of a life short."""
    for line in log.read_text(errors="replace").splitlines():
        if '"level":"error"' in line or not line.startswith("{"):
            yield line[:500]
