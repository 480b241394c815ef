"""Idempotency keys: the same key gives the same bytes again, and another question under it is refused."""

from collections import OrderedDict
from hashlib import blake2b

import msgspec
from msgspec import Struct

from paydesk_sandbox.psp.answers import Answer, refused
from paydesk_sandbox.psp.calls import Call

DAY_MS = 24 * 3600 * 1000


class Kept(Struct, frozen=True):
    """What an idempotency key stands for."""

    fingerprint: bytes
    answer: Answer
    at_ms: int


class Keys:
    """Remembers answers for `keys_kept_ms`. Of a question it keeps a fingerprint alone: there may be a card in it."""

    def __init__(self, *, salt: bytes, keys_kept_ms: int) -> None:
        self._salt = salt
        self._keys_kept_ms = keys_kept_ms
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()

    def recall(self, merchant: str, call: Call, now_ms: int) -> Answer | None:
        """The answer kept under this call's key, or a refusal where it was another question; None for a new key."""
        self._drop_old(now_ms)
        kept = self._kept.get((merchant, call.idempotency_key))
        if kept is None:
            return None
        if kept.fingerprint != self._fingerprint(call):
            return refused(409, "idempotency_key_reused", "This Idempotency-Key was used with another body.")
        return msgspec.structs.replace(kept.answer, replayed=True)

    def keep(self, merchant: str, call: Call, answer: Answer, now_ms: int) -> None:
        self._kept[merchant, call.idempotency_key] = Kept(self._fingerprint(call), answer, now_ms)

    def knows(self, merchant: str, call: Call, now_ms: int) -> bool:
        """Whether an answer is kept under this call's key."""
        self._drop_old(now_ms)
        return (merchant, call.idempotency_key) in self._kept

    def forget(self) -> None:
        """Forget every key, as a PSP does after its window."""
        self._kept.clear()

    def _fingerprint(self, call: Call) -> bytes:
        return blake2b(call.path.encode() + b"\n" + call.body, key=self._salt, digest_size=16).digest()

    def _drop_old(self, now_ms: int) -> None:
        while self._kept and now_ms - next(iter(self._kept.values())).at_ms >= self._keys_kept_ms:
            self._kept.popitem(last=False)
