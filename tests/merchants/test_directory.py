"""Keys as the door finds them: known or not, a second question costs no read, and a commit is seen at once."""

import asyncio
import os
from typing import Any

import pytest

from paydesk.merchants import Directory, directory
from paydesk.merchants.rows import ApiKey
from paydesk.sealing.sealer import Sealer
from paydesk.store import Published, Row

ACCOUNT = "acct_b6jxhdg7"
KEY = "key_test_b6jxhdg7known"
UNKNOWN = "key_test_b6jxhdg7other"


class Office:
    """As much of a desk as the directory wants; it is the reader as well."""

    def __init__(self) -> None:
        self.published = Published()
        self.reader = self
        self.reads: list[str] = []
        self.sealer = Sealer(os.urandom(32))
        self.rows: dict[str, ApiKey] = {}
        self.put(KEY)

    def put(self, key_id: str, status: str = "active") -> None:
        row = ApiKey(
            account=ACCOUNT,
            id=key_id,
            secret_sealed=self.sealer.seal("api-key", b"sk_test_x", key_id, os.urandom(12)),
            status=status,
            created_ms=1,
        )
        self.rows[key_id] = row
        self.published.publish([((ApiKey, (ACCOUNT, key_id)), row)])

    async def get(self, kind: type[Row], account: str, key_id: str) -> ApiKey | None:
        self.reads.append(key_id)
        return self.rows.get(key_id)


def test_an_unknown_key_takes_the_same_way_as_a_known_one() -> None:
    async def exam() -> None:
        office: Any = Office()
        here = Directory(office, office.sealer)
        for _ in range(3):
            assert await here.key(KEY)
            assert await here.key(UNKNOWN) is None
        assert office.reads == [KEY, UNKNOWN]

    asyncio.run(exam())


def test_a_key_that_is_made_or_revoked_is_seen_at_once() -> None:
    async def exam() -> None:
        office: Any = Office()
        here = Directory(office, office.sealer)
        assert await here.key(UNKNOWN) is None
        office.put(UNKNOWN)
        assert await here.key(UNKNOWN)
        office.put(UNKNOWN, status="revoked")
        assert await here.key(UNKNOWN) is None

    asyncio.run(exam())


def test_strangers_fill_no_memory_and_push_no_known_key_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "CACHED_MAX", 10)

    async def exam() -> None:
        office: Any = Office()
        here = Directory(office, office.sealer)
        assert await here.key(KEY)
        for number in range(100):
            assert await here.key(f"{UNKNOWN}{number}") is None
            assert len(here._no_keys) <= 10
        assert await here.key(KEY)
        assert office.reads.count(KEY) == 1

    asyncio.run(exam())
