"""What the server's handlers do for a request, without HTTP and encryption: the same commands, the same waiting."""

from msgspec import Struct

from paydesk.assembly.house import House
from paydesk.errors import Refusal
from paydesk.payments.ask import check_psp_is_up
from paydesk.payments.confirm import Confirm, used_key
from paydesk.payments.create import Create
from paydesk.payments.rows import CardUse, Intent
from paydesk.payments.waiting import settled
from paydesk.requests.once import Claim, Once, Reply
from paydesk.requests.signature import WINDOW_SECONDS
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


async def create(claim: Claim, command: Create, house: House) -> Reply:
    """Open an intent; raises the refusal."""
    if abs(house.world.now_ms() - claim.signed_ms) > WINDOW_SECONDS * 1000:
        raise Refusal("timestamp_out_of_range")
    reply = await house.submit(Once(claim=claim, inner=command))
    if reply.refusal:
        raise reply.refusal
    return reply


async def confirm(account: str, intent_id: str, payload: Payload, house: House) -> Shown:
    """Pay, or learn what became of this very payload; waits as the real door does."""
    used = await house.reader.get(CardUse, *used_key(account, payload.facts.digest))
    attempt_id = used.attempt if used else await _record(account, intent_id, payload, house)
    attempt, intent = await settled(house, account, intent_id, attempt_id)
    return Shown(attempt=attempt.id, attempt_status=attempt.status, intent_status=intent.status, version=intent.version)


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
