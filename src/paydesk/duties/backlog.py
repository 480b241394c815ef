"""How much is owed and not done, by kind; counted when somebody looks, and never far: more than that is much anyway."""

from collections import Counter

from paydesk.desk import Reader

COUNTED_MAX = 5_000  # One or two milliseconds of the loop.

# The ids of duties whose time has come and that nobody has begun, or whose holder is dead.
DUE_IDS = 'SELECT "id" FROM "duties" WHERE "due_ms" <= ? LIMIT ?'
# The kind of dead duties after another, in the order of the alphabet.
NEXT_KIND = 'SELECT "kind" FROM "dead_duties" WHERE "kind" > ? ORDER BY "kind" LIMIT 1'
# How many of a kind are dead; no further than a limit.
DEAD = 'SELECT count(*) FROM (SELECT 1 FROM "dead_duties" WHERE "kind" = ? LIMIT ?) k'


async def due_by_kind(reader: Reader, now_ms: int) -> Counter[str]:
    """How many duties are due, COUNTED_MAX of them in all at most."""
    return Counter(duty_id.partition(":")[0] for duty_id in await reader.texts(DUE_IDS, (now_ms, COUNTED_MAX)))


async def dead_by_kind(reader: Reader) -> Counter[str]:
    """How many duties are dead, COUNTED_MAX of each kind at most."""
    found, kind = Counter[str](), ""
    while after := await reader.texts(NEXT_KIND, (kind,)):
        kind = after[0]
        found[kind] = await reader.number(DEAD, (kind, COUNTED_MAX)) or 0
    return found
