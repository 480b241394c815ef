"""Ids that find their shard and sort by time: prefix, 8 letters of the account, a UUIDv7 as 26 letters.

Both parts are lower-case Crockford base32 (https://www.crockford.com/base32.html), so an id sorts alike in every
collation.
UUIDv7 after RFC 9562, section 5.7; the 12 bits of rand_a count the ids made in one command (section 6.2, method 1).
"""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # Ten bits at a time; every request has ids.

SHARD_LETTERS = 8


def letters(data: bytes) -> str:
    """`data` in lower-case Crockford base32, without padding."""
    bits = len(data) * 8
    filled = -(-bits // 10) * 10
    number = int.from_bytes(data, "big") << (filled - bits)
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(filled - 10, -1, -10)]
    return "".join(pairs)[: -(-bits // 5)]


def uuid7(now_ms: int, count: int, random62: int) -> bytes:
    """A UUIDv7 of this millisecond; `count` below 4096 keeps the order of ids made together."""
    return ((now_ms << 80) | (0x7 << 76) | ((count & 0xFFF) << 64) | (0b10 << 62) | random62).to_bytes(16, "big")


def make_id(prefix: str, shard: str, now_ms: int, count: int, random62: int) -> str:
    """`pi_` + 8 letters of the account + 26 letters of time and chance."""
    return f"{prefix}_{shard}{letters(uuid7(now_ms, count, random62))}"


def shard_of(account: str) -> str:
    """The 8 letters that every id of this account carries."""
    return account[5 : 5 + SHARD_LETTERS]


def account_of(some_id: str) -> str:
    """The account that an id (or a key's public name) belongs to; says nothing about whether either exists."""
    return "acct_" + some_id[some_id.rfind("_") + 1 :][:SHARD_LETTERS]
