"""Notices from PSPs, as the operator sees them."""

from typing import Literal, get_args

from msgspec import Struct

from paydesk.desk import Reader
from paydesk.errors import Refusal
from paydesk.payments.notices.take import duty_id
from paydesk.payments.rows import Notice
from paydesk.store import Duty
from paydesk.store.later import GivesLists
from paydesk.times import rfc3339, rfc3339_or_none

NoticeStatus = Literal["new", "applied", "parked", "ignored"]
STATUSES: tuple[str, ...] = get_args(NoticeStatus)
SHOWN_MAX = 100


class Heard(Struct, frozen=True, kw_only=True):
    """One notice, and what became of it."""

    received: str
    account: str
    psp: str
    id: str
    """The PSP's."""
    about: str
    reference: str
    """Ours, of the charge or refund that it names."""
    psp_reference: str
    status: str
    reason: str
    """Why it is parked, or not applied yet."""
    tries: int
    next_try: str | None
    """None: nothing more is tried."""
    body_sha256: str


async def read_notices(lists: GivesLists, reader: Reader, *, status: str | None, account: str | None) -> list[Heard]:
    """The newest ones, at most a hundred: of one status or account, or of all."""
    if status is not None and status not in STATUSES:
        raise Refusal("parameter_invalid", f"A status is one of {', '.join(STATUSES)}.", param="status")
    found: list[Notice] = []
    loaded = await lists.loaded()
    table = loaded.table(Notice)
    for one in (status,) if status else STATUSES:
        statement = table.select().where(table.c.status == one).order_by(table.c.received_ms.desc()).limit(SHOWN_MAX)
        found += await loaded.rows(Notice, statement.where(table.c.account == account) if account else statement)
    newest = sorted(found, key=lambda notice: notice.received_ms, reverse=True)[:SHOWN_MAX]
    duties = await reader.get_all(Duty, [(notice.account, duty_id(notice)) for notice in newest])
    due_ms = {(duty.account, duty.id): duty.due_ms for duty in duties}
    return [_shown(notice, due_ms.get((notice.account, duty_id(notice)))) for notice in newest]


def _shown(notice: Notice, due_ms: int | None) -> Heard:
    return Heard(
        received=rfc3339(notice.received_ms),
        account=notice.account,
        psp=notice.psp,
        id=notice.id,
        about=notice.about,
        reference=notice.reference,
        psp_reference=notice.psp_reference,
        status=notice.status,
        reason=notice.reason,
        tries=notice.tries,
        next_try=rfc3339_or_none(due_ms),
        body_sha256=notice.body_sha256,
    )
