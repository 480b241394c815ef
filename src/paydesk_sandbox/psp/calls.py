"""A request to /v1/…, as far as the rules look at it, and which kind of call it is."""

from msgspec import Struct

from paydesk_sandbox.psp.faults import Calls

VERBS: dict[str, Calls] = {"capture": "captures", "release": "releases", "refunds": "refunds"}


class Call(Struct, frozen=True, kw_only=True):
    """What came by HTTP."""

    method: str
    path: str
    query: str = ""
    authorisation: str = ""
    """The Authorization header."""
    idempotency_key: str = ""
    body: bytes = b""

    @property
    def parts(self) -> list[str]:
        """The path below /v1."""
        return self.path.removeprefix("/v1/").split("/")

    @property
    def kind(self) -> Calls:
        """What a fault may be meant for."""
        if self.method != "POST":
            return "lookups"
        parts = self.parts
        if parts == ["notice_endpoint"]:
            return "settings"
        return VERBS.get(parts[2], "charges") if len(parts) == 3 else "charges"
