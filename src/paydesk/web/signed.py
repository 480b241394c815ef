"""Signed requests: who is asking, checked in the protocol's order, and changes made once."""

import hashlib

from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.merchants import KeyInUse
from paydesk.payments.shapes import render, reveal
from paydesk.requests import signature
from paydesk.requests.once import Claim, Once, Reply
from paydesk.requests.signature import Signed
from paydesk.store import Command
from paydesk.times import rfc3339
from paydesk.web.call import JSON, Call, Response
from paydesk.web.card_numbers import refuse_card_numbers
from paydesk.web.found import intent_found


class Caller(Struct, frozen=True, kw_only=True):
    """A key whose signature held."""

    signed: Signed
    key: KeyInUse
    body: bytes

    @property
    def account(self) -> str:
        return self.key.account

    @property
    def name(self) -> str:
        """Whose doing a change is, as timelines say it."""
        return f"key:{self.key.id}"

    @property
    def livemode(self) -> bool:
        return self.key.id.startswith("key_live_")


async def caller(call: Call, *, needs_idempotency_key: bool = False) -> Caller:
    """Check the signature of this request. Reads nothing from the database but the key, and stores nothing."""
    desk = call.desk
    signed = signature.parse(call.method, call.raw_path, call.query, call.headers, needs_idempotency_key)
    body = await call.body()
    key = await desk.directory.key(signed.key_id)
    now_ms = desk.world.now_ms()
    if not signature.holds(signed, body, key.good_at(now_ms) if key else []) or key is None:
        raise Refusal("invalid_signature", explain=_explained(signed, body, desk.world.wall_ms()))
    call.account = key.account
    wall_ms = desk.world.wall_ms()  # The client's clock is held against ours as it stands, also where ours went back.
    if not signature.in_window(signed, wall_ms):
        raise Refusal("timestamp_out_of_range", server_time=rfc3339(wall_ms))
    if desk.per_key and (wait := desk.per_key.take(key.id, desk.world.monotonic())):
        raise Refusal("rate_limited", retry_after_seconds=wait)
    if call.method in ("GET", "HEAD") and not desk.read_nonces.first(key.id, signed.nonce, now_ms):
        raise Refusal("nonce_reused")
    return Caller(signed=signed, key=key, body=body)


async def once(call: Call, who: Caller, inner: Command[Reply]) -> Response:
    """Decide a change under the request's nonce and idempotency key, and answer."""
    return answer(call, who.account, await submitted(call, who, inner))


async def submitted(call: Call, who: Caller, inner: Command[Reply], carry: object = None) -> Reply:
    """The same, with the reply itself; `carry` reaches the duty that it names."""
    signed = who.signed
    refuse_card_numbers("Idempotency-Key", signed.idempotency_key)  # It is stored, and shown again.
    claim = Claim(
        account=who.account,
        key_id=who.key.id,
        nonce=signed.nonce,
        signed_ms=signed.timestamp_ms,
        idempotency_key=signed.idempotency_key,
        fingerprint=_fingerprint(call, who.body),
        action=f"{call.method} {call.scope['route_path']}",
        request_id=call.request_id,
    )
    return await call.desk.submit(Once(claim=claim, inner=inner), carry=carry)


async def recorded_once(
    call: Call, who: Caller, command: Command[Reply], intent_id: str, carry: object = None
) -> Reply:
    """Decide it once; where it is refused for how things stand, the error shows the intent."""
    reply = await submitted(call, who, command, carry)
    if (why := reply.refusal) and why.status == 409:
        why.payment_intent = render(await intent_found(call, who.account, intent_id))
    if why:
        raise why
    return reply


def answer(call: Call, account: str, reply: Reply) -> Response:
    """The reply over HTTP, with the client secret put in where it belongs."""
    if reply.refusal:
        raise reply.refusal
    body = reply.body
    if reply.reveals:
        body = reveal(body, client_secret(call, account, reply.reveals))
    headers = [*JSON, (b"idempotent-replayed", b"true")] if reply.replayed else JSON
    return Response(status=reply.status, body=body, headers=headers)


def client_secret(call: Call, account: str, intent: str) -> str:
    """What lets a shopper's browser see and pay this intent: derived, so nothing stores it."""
    return f"{intent}_secret_{call.desk.sealer.client_secret(account, intent)}"


def _fingerprint(call: Call, body: bytes) -> str:
    parts = (call.method.encode(), call.raw_path, call.query, body)
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _explained(signed: Signed, body: bytes, wall_ms: int) -> dict[str, str] | None:
    """In test mode the error itself shows what the server signed: the commonest support case of such APIs."""
    if not signed.key_id.startswith("key_test_"):
        return None
    offset = f"{(signed.timestamp_ms - wall_ms) / 1000:+.0f} s from the server's clock"
    return signature.explain(signed, body) | {"server_time": rfc3339(wall_ms), "clock_offset": offset}
