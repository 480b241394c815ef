"""Webhook endpoints: made, listed and deleted, by merchants over the API and by the operator."""

from collections.abc import Iterable
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from paydesk.desk import Reader
from paydesk.errors import Refusal
from paydesk.events.record import EVENT_TYPES, want
from paydesk.events.record import keys as event_keys
from paydesk.events.rows import Endpoint, EndpointCount
from paydesk.events.signing import new_secret
from paydesk.sealing.sealer import Sealer
from paydesk.store import Command, Key, Work, make_id, shard_of, table_of
from paydesk.times import rfc3339, rfc3339_or_none
from paydesk.world import World

SEAL = "webhook-secret"
ENDPOINTS_MAX = 16  # Where no setting says another.
COLUMNS = ", ".join(f'"{column}"' for column in table_of(Endpoint).columns)
# The endpoints of an account, oldest first.
OF_ACCOUNT = f'SELECT {COLUMNS} FROM "webhook_endpoints" WHERE "account" = ? ORDER BY "id"'  # noqa: S608


DisabledReason = Literal["gone", "failing"]


class WebhookEndpoint(Struct, frozen=True, kw_only=True):
    """What a merchant sees. The secret is shown when it is made, and to a repeat of that request."""

    id: str
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    url: str
    enabled_events: list[str]
    ordering: Literal["default", "strict"]
    description: str | None
    status: Literal["enabled", "disabled"]
    disabled_reason: DisabledReason | None
    """`gone`: it answered 410. `failing`: it took nothing for 120 hours."""
    failing_since: str | None
    """Its first failure since it last took something."""
    event_sequence: int
    livemode: bool
    created: str
    secret: str | UnsetType = UNSET


class Deleted(Struct, frozen=True, kw_only=True):
    """What is left of a deleted object."""

    id: str
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    deleted: bool = True


class AddEndpoint(Command[Endpoint], frozen=True):
    """A new endpoint; every value was checked before."""

    endpoint_url: str
    account: str
    enabled_events: str
    ordering: str
    description: str | None
    added_by: str
    secret_sealed: bytes
    sealed_for: str
    """The id that the secret is sealed for, and that the endpoint gets."""
    endpoints_max: int = ENDPOINTS_MAX
    """How many the account may have."""

    def keys(self) -> Iterable[Key]:
        yield EndpointCount, (self.account,)
        yield from event_keys(self.account)

    def decide(self, work: Work) -> Endpoint:
        count = work.find(EndpointCount, self.account) or work.add(EndpointCount(account=self.account))
        if count.number >= self.endpoints_max:
            raise Refusal("limit_reached", f"The account has {self.endpoints_max} webhook endpoints already.")
        work.change(count, number=count.number + 1)
        want(work, self.account, self.enabled_events)
        return work.add(
            Endpoint(
                account=self.account,
                id=self.sealed_for,
                url=self.endpoint_url,
                enabled_events=self.enabled_events,
                ordering=self.ordering,
                description=self.description,
                status="enabled",
                added_by=self.added_by,
                secret_sealed=self.secret_sealed,
                created_ms=work.now_ms,
            )
        )


class DeleteEndpoint(Command[None], frozen=True):
    """Nothing more is sent there; what was pending for it is given up when it is due."""

    account: str
    id: str

    def keys(self) -> Iterable[Key]:
        yield Endpoint, (self.account, self.id)
        yield EndpointCount, (self.account,)

    def decide(self, work: Work) -> None:
        endpoint = work.find(Endpoint, self.account, self.id)
        if endpoint is None:
            raise Refusal("resource_missing", "No such webhook_endpoint.", param="id")
        work.remove(endpoint)
        count = work.get(EndpointCount, self.account)
        work.change(count, number=count.number - 1)


def add_endpoint(
    world: World,
    sealer: Sealer,
    *,
    account: str,
    url: str,
    events: list[str],
    ordering: str = "default",
    description: str | None = None,
    added_by: str,
    endpoints_max: int = ENDPOINTS_MAX,
) -> tuple[AddEndpoint, str]:
    """The command that makes an endpoint, and its secret. Raises Refusal where the events are not ours."""
    random62 = int.from_bytes(world.random(8), "big") >> 2
    endpoint_id = make_id("we", shard_of(account), world.now_ms(), 0, random62)
    secret = new_secret(world.random(24))
    command = AddEndpoint(
        account=account,
        endpoint_url=url,
        enabled_events=_checked(events),
        ordering=ordering,
        description=description,
        added_by=added_by,
        secret_sealed=sealer.seal(SEAL, secret.encode(), endpoint_id, world.random(12)),
        sealed_for=endpoint_id,
        endpoints_max=endpoints_max,
    )
    return command, secret


def secrets(sealer: Sealer, endpoint: Endpoint, now_ms: int) -> list[str]:
    """The secrets to sign with: the present one, and the one before it for a day after a roll."""
    sealed = [endpoint.secret_sealed]
    if endpoint.previous_sealed and endpoint.previous_until_ms and now_ms < endpoint.previous_until_ms:
        sealed.append(endpoint.previous_sealed)
    return [sealer.open(SEAL, blob, endpoint.id).decode() for blob in sealed]


async def of_account(reader: Reader, account: str) -> list[Endpoint]:
    """All endpoints of an account, oldest first."""
    return await reader.query(Endpoint, OF_ACCOUNT, (account,))


def view(endpoint: Endpoint, *, livemode: bool, secret: str | UnsetType = UNSET) -> WebhookEndpoint:
    """The endpoint as a merchant sees it."""
    return WebhookEndpoint(
        id=endpoint.id,
        url=endpoint.url,
        enabled_events=endpoint.enabled_events.split(","),
        ordering=endpoint.ordering,  # type: ignore[arg-type]
        description=endpoint.description,
        status=endpoint.status,  # type: ignore[arg-type]
        disabled_reason=endpoint.disabled_reason,  # type: ignore[arg-type]
        failing_since=rfc3339_or_none(endpoint.failing_since_ms),
        event_sequence=endpoint.event_sequence,
        livemode=livemode,
        created=rfc3339(endpoint.created_ms),
        secret=secret,
    )


def _checked(events: list[str]) -> str:
    if events == ["*"]:
        return "*"
    if not events or len(set(events)) != len(events):
        raise Refusal("parameter_invalid", "Name each event type once, or `*` alone for all.", param="enabled_events")
    for place, event_type in enumerate(events):
        if event_type not in EVENT_TYPES:
            # What was sent is never repeated: someone may send a card number anywhere.
            message = f"`enabled_events[{place}]` is not an event type. Known: {', '.join(EVENT_TYPES)}."
            raise Refusal("parameter_invalid", message, param="enabled_events")
    return ",".join(events)
