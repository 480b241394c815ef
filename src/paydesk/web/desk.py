"""What the door is handed: everything the rooms need, and what only the door uses."""

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from paydesk.events.deliver import EventDesk
from paydesk.merchants import Directory
from paydesk.payments.waiting import WaitingDesk
from paydesk.psp.base import Psp
from paydesk.requests.limits import Bucket, ReadNonces
from paydesk.store.later import GivesLists
from paydesk.vault.keys import CardKeys
from paydesk.web.assets import Assets
from paydesk.web.page import Page


class DoorDesk(WaitingDesk, EventDesk, Protocol):
    """The assembled desk, as handlers see it."""

    held: int
    """Streams and held status requests under way."""
    held_by: Counter[str]
    """The same by intent."""

    @property
    def directory(self) -> Directory: ...
    @property
    def card_keys(self) -> CardKeys: ...
    @property
    def assets(self) -> Assets: ...
    @property
    def page(self) -> Page: ...
    @property
    def lists(self) -> GivesLists: ...
    def openapi(self) -> bytes:
        """The API's description as JSON."""
        ...

    def docs(self) -> bytes:
        """The page for people, as HTML."""
        ...

    @property
    def per_key(self) -> Bucket | None:
        """None where PAYDESK_RATE_LIMITS is off."""
        ...

    @property
    def per_address(self) -> Bucket | None: ...
    @property
    def notices_per_address(self) -> Bucket | None: ...
    @property
    def psps(self) -> Mapping[str, Psp]:
        """The adapters by the names of their PSPs."""
        ...

    @property
    def read_nonces(self) -> ReadNonces: ...
    def asking(self, account: str = "") -> int:
        """How many questions to PSPs are under way, of one account or of all."""
        ...

    async def figures(self) -> bytes:
        """What the admin listener shows, in Prometheus' text format."""
        ...

    def ready(self) -> bool:
        """Whether requests can be served."""
        ...
