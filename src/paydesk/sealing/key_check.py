"""A sealed constant that a database carries, so that it can tell at start that the key it is given is not its own."""

from paydesk.sealing.sealer import SealBroken, Sealer

_PURPOSE = "key-check"
_CONSTANT = b"this database belongs to this master key"


def key_check(sealer: Sealer, nonce: bytes) -> bytes:
    """The blob for a new database; `nonce` is 12 random bytes."""
    return sealer.seal(_PURPOSE, _CONSTANT, _PURPOSE, nonce)


def check(sealer: Sealer, blob: bytes) -> bool:
    """Whether the database that carries this blob was made with this key."""
    try:
        return sealer.open(_PURPOSE, blob, _PURPOSE) == _CONSTANT
    except SealBroken:
        return False
