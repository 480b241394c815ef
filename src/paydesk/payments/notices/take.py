"""A PSP's call whose signature held: written down, scrubbed, and owed an ear. It is answered before anything is asked.

The body is not kept, and nothing that it claims is believed: `heed.py` asks the PSP.
"""

from collections.abc import Iterable

from paydesk.payments.rows import Notice
from paydesk.psp import base
from paydesk.store import Command, Duty, Key, Work
from paydesk.times import DAY_MS

NOTICE = "notice"
ABOUT = ("charge", "refund", "dispute")
KEEP_MS = 30 * DAY_MS
"""How long one that is done with is kept: longer than any PSP sends the same one again."""


class TakeNotice(Command[bool], frozen=True):
    """Record the notice. False where it was there already."""

    account: str
    psp: str
    said: base.Notice
    body_sha256: str

    def keys(self) -> Iterable[Key]:
        yield Notice, (self.account, self.psp, self.said.id)

    def decide(self, work: Work) -> bool:
        if work.find(Notice, self.account, self.psp, self.said.id):
            return False
        known = self.said.about in ABOUT
        notice = work.add(
            Notice(
                account=self.account,
                psp=self.psp,
                id=self.said.id,
                about=self.said.about if known else "",
                reference=self.said.reference,
                psp_reference=self.said.psp_reference,
                body_sha256=self.body_sha256,
                status="new" if known else "ignored",
                received_ms=work.now_ms,
                settled_ms=None if known else work.now_ms,
                forget_ms=None if known else work.now_ms + KEEP_MS,
            )
        )
        if known:
            subject = f"{notice.psp}/{notice.id}"
            work.owe(Duty(account=notice.account, id=duty_id(notice), kind=NOTICE, subject=subject))
        return True


def duty_id(notice: Notice) -> str:
    """The duty that sees to this notice. It names the account, since a PSP's ids are its own affair."""
    return f"{NOTICE}:{notice.account}/{notice.psp}/{notice.id}"


def key_of(duty: Duty) -> tuple[str, str, str]:
    """The key of the notice that a duty sees to."""
    psp, _, notice_id = duty.subject.partition("/")
    return duty.account, psp, notice_id
