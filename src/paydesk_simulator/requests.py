"""A merchant's requests as values: what is asked for, first; who asks, and whom, later and as often as it takes."""

from paydesk.assembly.house import House
from paydesk.payments.cancel import Cancel
from paydesk.payments.capture import Capture
from paydesk.payments.late import DecideLate
from paydesk.payments.refund import BeginRefund
from paydesk.payments.update import Update
from paydesk.requests.once import Claim
from paydesk_simulator import door
from paydesk_simulator.door import Said


async def operated(command: Capture | Cancel, claim: Claim, house: House) -> Said:
    """Capture, cancel."""
    return await door.operate(claim, command, house)


async def refunded(command: BeginRefund, claim: Claim, house: House) -> Said:
    """Refund."""
    return await door.refund(claim, command, house)


async def charged(intent: str, method: str | None, claim: Claim, house: House) -> Said:
    """Charge a saved card."""
    return await door.confirm_saved(claim, intent, method, house)


async def decided(command: Update | DecideLate, claim: Claim, house: House) -> Said:
    """What no PSP has to be asked for."""
    reply = await door.decide(claim, command, house)
    return Said(status=reply.status, body=reply.body)
