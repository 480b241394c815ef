"""What the server's handlers do for a request, without HTTP and encryption: the same commands, the same waiting."""

import hashlib

from msgspec import Struct

from paydesk.assembly.house import House
from paydesk.errors import Refusal
from paydesk.payments.ask import check_psp_is_up
from paydesk.payments.challenge import came_back
from paydesk.payments.confirm import Confirm, ConfirmSaved, used_key
from paydesk.payments.notices.take import TakeNotice
from paydesk.payments.refund import BeginRefund
from paydesk.payments.refund_shapes import render_refund
from paydesk.payments.rows import CardUse, Intent, PaymentMethod
from paydesk.payments.shapes import render
from paydesk.payments.waiting import Answered, answered, refund_answered, settled
from paydesk.psp.base import SavedCard
from paydesk.requests.once import Claim, Once, Reply, reply_of
from paydesk.requests.rows import Kept
from paydesk.requests.signature import WINDOW_SECONDS
from paydesk.store import Command
from paydesk.vault.cards import Card, CardFacts


class Payload(Struct, frozen=True, kw_only=True):
    """A card as a shopper's browser sealed it: made once, sent as often as it takes."""

    card: Card
    facts: CardFacts


class Shown(Struct, frozen=True, kw_only=True):
    """What a shopper is shown of an attempt."""

    attempt: str
    attempt_status: str
    intent_status: str
    version: int


class Said(Struct, frozen=True, kw_only=True):
    """What a merchant's operation is answered with."""

    status: int
    body: bytes


async def decide(claim: Claim, command: Command[Reply], house: House, carry: object = None) -> Reply:
    """What no PSP has to be asked for: open, change, decide about a late payment; raises the refusal."""
    if abs(house.world.now_ms() - claim.signed_ms) > WINDOW_SECONDS * 1000:
        raise Refusal("timestamp_out_of_range")
    reply = await house.submit(Once(claim=claim, inner=command), carry=carry)
    if reply.refusal:
        raise reply.refusal
    return reply


async def operate(claim: Claim, command: Command[Reply], house: House, carry: object = None) -> Said:
    """What the PSP is asked for first (capture, cancel, a saved card): waits as the real door does."""
    reply = await decide(claim, command, house, carry)
    if not reply.running:
        return Said(status=reply.status, body=reply.body)
    stands = await answered(
        house, claim.account, claim.idempotency_key, reply.object_id, reply.operation, again=reply.replayed
    )
    if stands.kept:
        return Said(status=stands.kept.status, body=stands.kept.body)
    return _open(stands, again=reply.replayed)


async def confirm_saved(claim: Claim, intent_id: str, method_id: str | None, house: House) -> Said:
    """Charge a saved card, off session; `method_id` None: the one that the intent names."""
    account = await house.account(claim.account)
    assert account is not None  # It was made before anything else.
    if not await house.reader.get(Kept, claim.account, claim.idempotency_key):
        check_psp_is_up(house, account.psp, account.psp_url)
    command = ConfirmSaved(
        account=claim.account,
        intent=intent_id,
        payment_method=method_id,
        psp=account.psp,
        psp_url=account.psp_url,
        attempts_max=house.config.attempts_max,
        cause=f"key:{claim.key_id}",
        idempotency_key=claim.idempotency_key,
    )
    found = method_id or (await status(claim.account, intent_id, house)).payment_method
    method = await house.reader.get(PaymentMethod, claim.account, found) if found else None
    return await operate(claim, command, house, SavedCard(method.token) if method else None)


async def refund(claim: Claim, command: BeginRefund, house: House) -> Said:
    """Give back a part or all."""
    reply = await decide(claim, command, house)
    if not reply.running:
        return Said(status=reply.status, body=reply.body)
    kept, row = await refund_answered(
        house, claim.account, claim.idempotency_key, reply.object_id, again=reply.replayed
    )
    if kept:
        said = reply_of(kept, replayed=reply.replayed)
        return Said(status=said.status, body=said.body)
    if reply.replayed and not row.outcome_unknown:
        raise Refusal("operation_in_progress", retry_after_seconds=2)
    return Said(status=202, body=render_refund(row))


async def confirm(account: str, intent_id: str, payload: Payload, house: House) -> Shown:
    """Pay, or learn what became of this very payload; waits as the real door does."""
    used = await house.reader.get(CardUse, *used_key(account, payload.facts.digest))
    if used and used.intent != intent_id:
        raise Refusal("card_payload_invalid")
    attempt_id = used.attempt if used else await _record(account, intent_id, payload, house)
    attempt, intent = await settled(house, account, intent_id, attempt_id)
    return Shown(attempt=attempt.id, attempt_status=attempt.status, intent_status=intent.status, version=intent.version)


async def come_back(account: str, attempt_id: str, house: House) -> None:
    """The bank sends the shopper back."""
    await came_back(house, account, attempt_id)


async def notice(account_id: str, body: bytes, headers: dict[str, str], house: House) -> bool:
    """A PSP's call; whether it was taken. What no secret of the account signed is not."""
    account = await house.account(account_id)
    assert account is not None  # It was made before anything else.
    secret = house.directory.notice_secret(account)
    assert secret is not None
    said = house.psp(account.psp).read_notice(headers, body, secret, house.world.wall_ms())
    if said is None:
        return False
    sha = hashlib.sha256(body).hexdigest()
    await house.submit(TakeNotice(account=account.id, psp=account.psp, said=said, body_sha256=sha))
    return True


async def status(account: str, intent_id: str, house: House) -> Intent:
    """The intent as it is committed now."""
    intent = await house.reader.get(Intent, account, intent_id)
    if intent is None:
        raise Refusal("resource_missing")
    return intent


async def _record(account: str, intent_id: str, payload: Payload, house: House) -> str:
    row = await house.account(account)
    assert row is not None  # The account was made before anything else.
    check_psp_is_up(house, row.psp, row.psp_url)
    command = Confirm(
        account=account,
        intent=intent_id,
        card=payload.facts,
        psp=row.psp,
        psp_url=row.psp_url,
        attempts_max=house.config.attempts_max,
    )
    return (await house.submit(command, carry=payload.card)).attempt


def _open(stands: Answered, *, again: bool) -> Said:
    if stands.ended == "not_sent":
        raise Refusal("psp_unavailable", retry_after_seconds=5)
    if stands.ended and stands.ended != "asking":
        raise Refusal("invalid_state", f"The PSP will not do it. This payment is {stands.intent.status}.")
    if again:
        raise Refusal("operation_in_progress", retry_after_seconds=2)
    return Said(status=202, body=render(stands.intent))
