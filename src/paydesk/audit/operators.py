"""A command of the operator, with its line in the log of every account that it changes."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from paydesk.audit.chain import HOUSE, enter
from paydesk.scrubbing import scrubbed
from paydesk.store import Command, Key, Work

R = TypeVar("R")

ACTOR = "operator"
REASON = "reason"
"""The argument that says why: it stands in the line."""
SECRET = ("key", "secret")
"""An argument whose name ends so stays out of the fingerprint: a hash of a short secret gives it away."""


class Deed(Struct, frozen=True, kw_only=True):
    """What the operator asked for."""

    action: str
    request_id: str
    fingerprint: str
    reason: str
    """Why, where the command was told."""


def deed_of(action: str, arguments: Mapping[str, Any], request_id: str) -> Deed:
    """The deed of a command with these arguments."""
    told = {name: value for name, value in arguments.items() if not name.endswith(SECRET)}
    reason = " ".join(scrubbed(arguments.get(REASON) or "").split())
    told |= {REASON: reason} if REASON in told else {}
    asked = msgspec.json.encode([action, told], order="sorted")
    return Deed(
        action=action,
        request_id=request_id,
        fingerprint=hashlib.sha256(asked).hexdigest(),
        reason=reason,
    )


class Audited(Command[R], frozen=True):
    """Decide the inner command; where that changed something, say so in the same commit."""

    inner: Command[R]
    deed: Deed

    def keys(self) -> Iterable[Key]:
        return self.inner.keys()

    def size_bytes(self) -> int:
        return self.inner.size_bytes() + 512

    def decide(self, work: Work) -> R:
        with work.nested() as inner:
            reply = self.inner.decide(inner)
        for account, object_id in _changed(inner.changed, reply).items():
            enter(
                work,
                account,
                actor=ACTOR,
                action=self.deed.action,
                object_id=object_id,
                request_id=self.deed.request_id,
                fingerprint=self.deed.fingerprint,
                reason=self.deed.reason,
            )
        return reply


def _changed(keys: Iterable[Key], reply: object) -> dict[str, str]:
    """Account → what was changed there: what the reply names, or else the first row that was touched.

    Every key of an account's rows begins with the account; a change outside of all accounts is the house's.
    """
    touched: dict[str, str] = {}
    for _, values in keys:
        touched.setdefault(values[0] if values[0].startswith("acct_") else HOUSE, str(values[-1]))
    if len(touched) > 1:
        touched.pop(HOUSE, None)
    named = getattr(reply, "id", "") or getattr(reply, "object_id", "")
    return dict.fromkeys(touched, named) if named else touched
