"""The floor under the nonces: nothing signed at or before it is told from a repeat, so it is refused."""

from paydesk.requests.rows import NonceFloor
from paydesk.store import Work


def raise_floor(work: Work, floor_ms: int) -> None:
    """Set it to this time, unless it is higher already."""
    floor = work.find(NonceFloor, "floor")
    if floor is None:
        work.add(NonceFloor(floor_ms=floor_ms))
    elif floor_ms > floor.floor_ms:
        work.change(floor, floor_ms=floor_ms)
