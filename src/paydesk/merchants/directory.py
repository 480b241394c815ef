"""Accounts and keys as the door sees them on every request: a cache kept fresh by this process's own commits."""

from typing import Any

from msgspec import Struct

from paydesk.desk import Desk
from paydesk.merchants.notices import PURPOSE as NOTICE_SECRET
from paydesk.merchants.rows import Account, ApiKey
from paydesk.sealing.sealer import Sealer
from paydesk.store import Key, Row, account_of

CACHED_MAX = 10_000


class KeyInUse(Struct, frozen=True, kw_only=True):
    """An active key with its secrets open: the present one, and the one before it while a roll lasts."""

    account: str
    id: str
    secrets: tuple[tuple[str, int | None], ...]
    """(secret, until when it is good; None for ever)"""

    def good_at(self, now_ms: int) -> list[str]:
        return [secret for secret, until_ms in self.secrets if until_ms is None or now_ms < until_ms]


class Directory:
    """Looks up accounts and keys; a change of either forgets what was cached of it."""

    def __init__(self, desk: Desk, sealer: Sealer) -> None:
        self._desk = desk
        self._sealer = sealer
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, KeyInUse] = {}
        self._no_keys: dict[str, None] = {}
        desk.published.listen(Account, self._account_changed)
        desk.published.listen(ApiKey, self._key_changed)

    async def account(self, account: str) -> Account | None:
        """The account, or None."""
        if found := self._accounts.get(account):
            return found
        if found := await self._desk.reader.get(Account, account):
            _room_in(self._accounts)
            self._accounts[account] = found
        return found

    async def key(self, key_id: str) -> KeyInUse | None:
        """The key with its secrets, or None where it is unknown or revoked. That is remembered too: else the time that
        it takes would tell which keys exist.
        """
        if (found := self._keys.get(key_id)) or key_id in self._no_keys:
            return found
        row = await self._desk.reader.get(ApiKey, account_of(key_id), key_id)
        if row is None or row.status != "active":
            _room_in(self._no_keys)
            self._no_keys[key_id] = None
            return None
        _room_in(self._keys)
        self._keys[key_id] = self._open(row)
        return self._keys[key_id]

    def psp_key(self, account: Account) -> str:
        """What the account's PSP knows it by."""
        return self._sealer.open("psp-key", account.psp_key_sealed, account.id).decode()

    def notice_secret(self, account: Account) -> str | None:
        """What the account's PSP signs its notices with; None where it may send none."""
        sealed = account.notice_secret_sealed
        return self._sealer.open(NOTICE_SECRET, sealed, account.id).decode() if sealed else None

    def _open(self, row: ApiKey) -> KeyInUse:
        secrets = [(self._sealer.open("api-key", row.secret_sealed, row.id).decode(), None)]
        if row.previous_sealed:
            previous = self._sealer.open("api-key", row.previous_sealed, row.id).decode()
            return KeyInUse(account=row.account, id=row.id, secrets=(*secrets, (previous, row.previous_until_ms)))
        return KeyInUse(account=row.account, id=row.id, secrets=tuple(secrets))

    def _account_changed(self, key: Key, row: Row | None) -> None:
        self._accounts.pop(key[1][0], None)

    def _key_changed(self, key: Key, row: Row | None) -> None:
        self._keys.pop(key[1][1], None)
        self._no_keys.pop(key[1][1], None)


def _room_in(cache: dict[str, Any]) -> None:
    if len(cache) >= CACHED_MAX:
        cache.clear()
