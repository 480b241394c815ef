"""The lines of the log, and where each account's chain has come to."""

from paydesk.store import Row, Versioned


class AuditEntry(Row, frozen=True, kw_only=True):
    """One action that changed something."""

    TABLE = "audit_entries"
    KEY = ("account", "number")
    INDEXES_WHERE = (("reason <> ''", ("object_id", "at_ms")),)

    account: str
    number: int
    """1, 2, 3 … per account, without gaps."""
    at_ms: int
    actor: str
    """`key:<id>` or `operator`."""
    action: str
    """Method and route, such as `POST /v1/payment_intents`; of the operator the command, such as `merchants create`."""
    object_id: str
    request_id: str
    fingerprint: str
    """Hex SHA-256 of what was asked; of a signed request that of method, path, query and body."""
    reason: str = ""
    """Why, where the operator said so; holds no card number and no secret."""
    hash: bytes
    """SHA-256 of the hash before it and all the above; a line without a reason is hashed as if there were none."""


class AuditHead(Versioned, frozen=True, kw_only=True):
    """The newest line of an account: what is missing at a chain's end shows by it."""

    TABLE = "audit_heads"
    KEY = ("account",)

    account: str
    number: int
    hash: bytes
    at_ms: int
