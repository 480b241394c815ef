"""Once: wraps the command of a signed request, so that the nonce is burnt, the answer kept and the deed written down in
the commit of the effect.

After Stripe's idempotent requests and the IETF Idempotency-Key draft (-07): a repeat gets the same status and body.
"""

from collections.abc import Iterable

from msgspec import Struct

from paydesk.audit import AuditHead, enter
from paydesk.errors import Refusal
from paydesk.requests.rows import Kept, Nonce, NonceFloor
from paydesk.store import Command, Duty, Key, Work

KEEP_MS = 24 * 3_600_000  # After that a repeat is a new request, as merchants know it from Stripe.


class Reply(Struct, frozen=True, kw_only=True):
    """What a command answers over HTTP."""

    status: int = 200
    body: bytes = b""
    object_id: str = ""
    operation: str = ""
    """The attempt or errand whose outcome is the answer, where one runs."""
    reveals: str = ""
    """The intent whose client secret the door puts into the body."""
    duty: Duty | None = None
    """What was carried with the command goes to this duty."""
    refusal: Refusal | None = None
    replayed: bool = False
    running: bool = False
    """The PSP has to be asked first: the key is claimed, and gets its answer in the commit of the outcome."""

    @property
    def keeps(self) -> bool:
        """Stored are answers of 2xx, and of what still runs that it does; a 202 says only how things stood."""
        return self.running or (self.refusal is None and 200 <= self.status < 300 and self.status != 202)


class Claim(Struct, frozen=True, kw_only=True):
    """The marks of one signed request that changes something."""

    account: str
    key_id: str
    nonce: str
    signed_ms: int
    idempotency_key: str
    """Empty where the route takes requests without one."""
    fingerprint: str
    """Hex SHA-256 of method, path, query and body."""
    action: str
    """Method and route, for the log of who did what."""
    request_id: str


class Once(Command[Reply], frozen=True):
    """Burn the nonce, then answer from what is kept, or decide, keep the answer and write down what was done."""

    claim: Claim
    inner: Command[Reply]

    def keys(self) -> Iterable[Key]:
        claim = self.claim
        yield Nonce, (claim.account, claim.key_id, claim.nonce)
        yield NonceFloor, ("floor",)
        yield AuditHead, (claim.account,)
        if claim.idempotency_key:
            yield Kept, (claim.account, claim.idempotency_key)
        yield from self.inner.keys()

    def size_bytes(self) -> int:
        return self.inner.size_bytes() + 512

    def decide(self, work: Work) -> Reply:
        claim = self.claim
        _check_floor(work, claim)
        if work.find(Nonce, claim.account, claim.key_id, claim.nonce):
            return Reply(refusal=Refusal("nonce_reused"))
        work.add(Nonce(account=claim.account, key_id=claim.key_id, nonce=claim.nonce, signed_ms=claim.signed_ms))
        if claim.idempotency_key and (kept := work.find(Kept, claim.account, claim.idempotency_key)):
            return _reply_of(kept, claim)
        try:
            with work.nested() as inner:
                reply = self.inner.decide(inner)
        except Refusal as why:
            return Reply(refusal=why)  # The nonce stays burnt: a refused request can't be replayed later.
        if inner.changed:
            _write_down(work, claim, reply)
        if claim.idempotency_key and reply.keeps:
            work.add(_kept(claim, reply, work.now_ms))
        return reply


def _write_down(work: Work, claim: Claim, reply: Reply) -> None:
    enter(
        work,
        claim.account,
        actor=f"key:{claim.key_id}",
        action=claim.action,
        object_id=reply.object_id,
        request_id=claim.request_id,
        fingerprint=claim.fingerprint,
    )


def _check_floor(work: Work, claim: Claim) -> None:
    floor = work.look(NonceFloor, "floor")
    if floor and claim.signed_ms <= floor.floor_ms:
        seconds = (floor.floor_ms - claim.signed_ms) // 1000 + 1
        raise Refusal(
            "storage_unavailable",
            "Requests signed at that time are no longer told from repeats. Sign again, with the time of now.",
            retry_after_seconds=min(seconds, 300),
        )


def finish_claim(work: Work, account: str, idempotency_key: str, *, status: int, body: bytes) -> None:
    """The outcome of a running operation is its key's answer, in the commit of that outcome."""
    kept = work.find(Kept, account, idempotency_key) if idempotency_key else None
    if kept and not kept.status:
        work.change(kept, status=status, body=body)


def drop_claim(work: Work, account: str, idempotency_key: str) -> None:
    """The operation came to nothing that is kept: the key is free again."""
    kept = work.find(Kept, account, idempotency_key) if idempotency_key else None
    if kept and not kept.status:
        work.remove(kept)


def request_of(work: Work, account: str, idempotency_key: str) -> str:
    """The id of the request that claimed this key; empty where none is known."""
    kept = work.find(Kept, account, idempotency_key) if idempotency_key else None
    return kept.request_id if kept else ""


def reply_of(kept: Kept, *, replayed: bool) -> Reply:
    """What is kept, as a reply."""
    return Reply(status=kept.status, body=kept.body, object_id=kept.object_id, reveals=kept.reveals, replayed=replayed)


def _reply_of(kept: Kept, claim: Claim) -> Reply:
    """The same request again, still running, or another one under the same key."""
    if kept.fingerprint != claim.fingerprint:
        return Reply(refusal=Refusal("idempotency_key_reused"))
    if not kept.status:
        return Reply(running=True, object_id=kept.object_id, replayed=True)
    return reply_of(kept, replayed=True)


def _kept(claim: Claim, reply: Reply, now_ms: int) -> Kept:
    return Kept(
        account=claim.account,
        idempotency_key=claim.idempotency_key,
        fingerprint=claim.fingerprint,
        status=0 if reply.running else reply.status,
        body=reply.body,
        request_id=claim.request_id,
        object_id=reply.object_id,
        reveals=reply.reveals,
        created_ms=now_ms,
        expires_ms=now_ms + KEEP_MS,
    )
