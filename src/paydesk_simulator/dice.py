"""Seeded dice. Each part of a run throws its own, so that a change in one does not shift what the others meet."""

from random import Random  # noqa: TID251 (seeded: a simulation is repeated, not kept secret)

__all__ = ["Random", "dice_of"]


def dice_of(seed: int, part: str) -> Random:
    """The dice of one part of the run of this seed."""
    return Random(f"{seed}/{part}")  # noqa: S311
