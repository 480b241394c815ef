"""How the lines of an account hang together: each hash covers the one before it and the line itself."""

import hashlib

from paydesk.audit.rows import AuditEntry, AuditHead
from paydesk.store import Work

HOUSE = "house"
"""The chain of what concerns no account alone."""

BEGINNING = bytes(32)
"""Stands before the first line."""


def enter(
    work: Work,
    account: str,
    *,
    actor: str,
    action: str,
    object_id: str,
    request_id: str,
    fingerprint: str,
    reason: str = "",
) -> AuditEntry:
    """Add a line to the account's chain, in the commit that this work becomes."""
    head = work.find(AuditHead, account)
    number = head.number + 1 if head else 1
    at_ms, previous = work.now_ms, head.hash if head else BEGINNING
    texts = _texts(actor, action, object_id, request_id, fingerprint, reason)
    assert is_one_line(*texts)
    linked = link(previous, account, number, at_ms, *texts)
    if head:
        work.change(head, number=number, hash=linked, at_ms=at_ms)
    else:
        work.add(AuditHead(account=account, number=number, hash=linked, at_ms=at_ms))
    return work.add(
        AuditEntry(
            account=account,
            number=number,
            at_ms=at_ms,
            actor=actor,
            action=action,
            object_id=object_id,
            request_id=request_id,
            fingerprint=fingerprint,
            reason=reason,
            hash=linked,
        )
    )


def is_one_line(*texts: str) -> bool:
    """Whether no text holds a newline, by which one could pass for two."""
    return not any("\n" in text for text in texts)


def link(previous: bytes, account: str, number: int, at_ms: int, *texts: str) -> bytes:
    """The hash of a line. Nothing in it holds a newline (`is_one_line`), so each text stands for one line alone."""
    line = "\n".join((account, str(number), str(at_ms), *texts))
    return hashlib.sha256(previous + line.encode()).digest()


def link_of(previous: bytes, entry: AuditEntry) -> bytes:
    """The hash that this line has to have behind `previous`."""
    texts = _texts(entry.actor, entry.action, entry.object_id, entry.request_id, entry.fingerprint, entry.reason)
    return link(previous, entry.account, entry.number, entry.at_ms, *texts)


def _texts(*texts: str) -> tuple[str, ...]:
    """All of them; the last one, the reason, only where there is one."""
    return texts if texts[-1] else texts[:-1]
