"""`POST /psp/{psp}/notices/{account}`: PSPs call here when something changed. Verified, written down, answered."""

import hashlib
from typing import Literal

from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.payments.notices.take import TakeNotice
from paydesk.psp import base
from paydesk.web.call import Call, Response, as_json

BODY_BYTES_MAX = 64 * 1024

UNKNOWN = "the secret of no account"
"""Checked against where there is no account, so that the answer takes as long."""


class NoticeTaken(Struct, frozen=True, kw_only=True):
    """It is written down; the PSP need not send it again."""

    received: Literal[True] = True


async def take(call: Call) -> Response:
    """Take a PSP's notice.

    It is signed by the PSP, with the secret that the account shares with it. What it says is not believed: it names
    what changed, and the PSP is asked how that stands. The same notice again is taken, and nothing comes of it.
    """
    desk, account_id = call.desk, call.part("account")
    limit = desk.notices_per_address
    if limit and (wait := limit.take(call.address, desk.world.monotonic())):
        raise Refusal("rate_limited", retry_after_seconds=wait)
    body = await call.body(BODY_BYTES_MAX)
    said = await _verified(call, account_id, body)
    if said is None:
        desk.metrics.notices.labels("refused").inc()
        desk.log.warning("notice_refused", request_id=call.request_id)
        raise Refusal("invalid_signature", "The notice's signature or its time does not hold.")
    call.account = account_id
    command = TakeNotice(
        account=account_id, psp=call.part("psp"), said=said, body_sha256=hashlib.sha256(body).hexdigest()
    )
    new = await desk.submit(command)
    desk.metrics.notices.labels("new" if new else "repeated").inc()
    return as_json(NoticeTaken())


async def _verified(call: Call, account_id: str, body: bytes) -> base.Notice | None:
    """What the notice says, where its signature and time hold for this account of this PSP."""
    desk = call.desk
    account = await desk.account(account_id)
    known = account is not None and account.psp == call.part("psp")
    secret = desk.directory.notice_secret(account) if account and known else None
    psp = desk.psps[account.psp] if account and known else next(iter(desk.psps.values()))
    said = psp.read_notice(_headers(call), body, secret or UNKNOWN, desk.world.wall_ms())
    return said if secret else None


def _headers(call: Call) -> dict[str, str]:
    """Each header that stands once: a second one of a name would say that somebody in between had a hand in it."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name, value in call.headers:
        key = name.decode("latin-1").lower()
        if key in found:
            twice.add(key)
        found[key] = value.decode("latin-1")
    return {name: value for name, value in found.items() if name not in twice}
