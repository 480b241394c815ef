"""Every row type of the house, collected from the top for migrations and for tests of the statements."""

import sqlalchemy as sa

from paydesk.assembly.installation import Backup, Installation
from paydesk.audit.rows import AuditEntry, AuditHead
from paydesk.duties.rows import DeadDuty
from paydesk.events.rows import Delivery, Endpoint, EndpointCount, Event, Feed
from paydesk.ledger.rows import Balance, LedgerTransaction, Maturity, Posting
from paydesk.merchants.rows import Account, ApiKey, Merchant
from paydesk.payments.rows import (
    Attempt,
    CardUse,
    Dispute,
    DisputeReference,
    Errand,
    Intent,
    LatePayment,
    Notice,
    PaymentMethod,
    Refund,
    TimelineEntry,
)
from paydesk.payments.unknown_charges import UnknownCharge
from paydesk.requests.rows import Kept, Nonce, NonceFloor
from paydesk.store.rows import Duty, Marker, Row
from paydesk.store.schema import sql_table

ROWS: tuple[type[Row], ...] = (
    Account,
    ApiKey,
    Attempt,
    AuditEntry,
    AuditHead,
    Backup,
    Balance,
    CardUse,
    DeadDuty,
    Delivery,
    Dispute,
    DisputeReference,
    Duty,
    Endpoint,
    EndpointCount,
    Errand,
    Event,
    Feed,
    Installation,
    Intent,
    Kept,
    LatePayment,
    LedgerTransaction,
    Marker,
    Maturity,
    Merchant,
    Nonce,
    NonceFloor,
    Notice,
    PaymentMethod,
    Posting,
    Refund,
    TimelineEntry,
    UnknownCharge,
)


def metadata() -> sa.MetaData:
    """The schema as the row types say it."""
    collected = sa.MetaData()
    for kind in ROWS:
        sql_table(kind, collected)
    return collected
