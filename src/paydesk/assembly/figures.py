"""What the admin listener shows of this process: what was counted, and what is counted at the moment of the look."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING

from paydesk.duties.backlog import dead_by_kind, due_by_kind
from paydesk.payments.unknown import oldest_ms
from paydesk.store import StorageFault
from paydesk.telemetry import Family, as_text, counter, gauge, of_process

if TYPE_CHECKING:
    from paydesk.assembly.house import House


async def figures(house: "House") -> bytes:
    """All of it, in Prometheus' text format. A database that can't be read takes only its own figures away."""
    families = [*house.metrics.registry.collect(), *_of_memory(house), *of_process()]
    try:
        families += [family async for family in _of_database(house)]
    except StorageFault as why:
        house.log.warning("figures_unreadable", reason=str(why))
    return as_text(families)


def _of_memory(house: "House") -> list[Family]:
    database = house.config.database
    return [
        gauge("paydesk_commands_waiting", "Commands that wait for the committer", house.committer.waiting),
        counter("paydesk_batches", "Batches that were tried", house.committer.batches),
        gauge("paydesk_streams_held", "Live streams and held status requests", house.held),
        gauge("paydesk_psps_down", "PSPs that answer nobody: nothing new is begun there", house.breakers.open()),
        gauge("paydesk_database_bytes", "The database file", _size(database)),
        gauge("paydesk_wal_bytes", "Its write-ahead log", _size(database.with_name(database.name + "-wal"))),
    ]


async def _of_database(house: "House") -> AsyncGenerator[Family]:
    now_ms, kinds = house.world.now_ms(), house.runner.kinds
    due, dead = await due_by_kind(house.reader, now_ms), await dead_by_kind(house.reader)
    states: dict[tuple[str, ...], float] = {}
    for kind in dict.fromkeys((*kinds, *due)):
        states[kind, "running"] = house.runner.running(kind)
        states[kind, "waiting"] = house.runner.waiting(kind)
        states[kind, "due"] = due[kind]
    yield gauge("paydesk_duties", "Duties: under way, without a place, due", states, labels=("kind", "state"))
    by_kind: dict[tuple[str, ...], float] = {(kind,): dead[kind] for kind in dict.fromkeys((*kinds, *dead))}
    yield gauge("paydesk_dead_duties", "Parked duties and given-up webhooks", by_kind, labels=("kind",))
    oldest = await oldest_ms(house.reader)
    yield gauge(
        "paydesk_oldest_unknown_outcome_seconds",
        "Age of the oldest payment whose outcome is unknown; 0 where there is none",
        0 if oldest is None else max(now_ms - oldest, 0) / 1000,
    )


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
