"""The house: one World, the rooms wired into the desk that everything is handed. Also what tests and the simulation
start.
"""

import asyncio
from collections import Counter
from typing import Protocol, TypeVar

from paydesk import resources
from paydesk.assembly.figures import figures
from paydesk.config import Config
from paydesk.desk import Reader
from paydesk.duties import Runner
from paydesk.merchants import Account, Directory
from paydesk.payments.confirm import ASK_PSP
from paydesk.psp.base import Psp
from paydesk.psp.breaker import Breakers
from paydesk.psp.sandbox import SandboxPsp
from paydesk.requests.limits import Bucket, ReadNonces
from paydesk.requests.signature import WINDOW_SECONDS
from paydesk.sealing.sealer import Sealer
from paydesk.store import Command, Committer, Duty, Published
from paydesk.store.committer import Session
from paydesk.store.later import GivesLists
from paydesk.telemetry import Log, Metrics
from paydesk.vault.keys import CardKeys
from paydesk.web import docs, openapi
from paydesk.web.assets import LOADER, Assets
from paydesk.web.page import Linked, Page
from paydesk.worker.expiring import expire_for_ever
from paydesk.worker.handlers import PARKED, handlers
from paydesk.worker.pruning import prune_for_ever
from paydesk.world import World
from paydesk.world.turns import Turns

R = TypeVar("R")

KEYS_LOOK_SECONDS = 600.0


class Stores(Protocol):
    """A database as the house wants it: a session that writes, a reader, and lists."""

    @property
    def session(self) -> Session: ...
    @property
    def reader(self) -> Reader: ...
    @property
    def lists(self) -> GivesLists: ...


class Documents:
    """What is read from the installed folders: the same for every house."""

    def __init__(self) -> None:
        self.assets = Assets(resources.folder("static"))
        self.page = Page(templates=resources.folder("templates"), assets=self.assets)


class House:
    """The assembled desk of one process. `start` begins to work, `stop` drains."""

    def __init__(
        self,
        *,
        world: World,
        config: Config,
        sealer: Sealer,
        stores: Stores,
        log: Log,
        documents: Documents | None = None,
    ) -> None:
        documents = documents or Documents()
        self.assets = documents.assets
        self.page = documents.page
        self.world = world
        self.config = config
        self.sealer = sealer
        self.log = log
        self.metrics = Metrics()
        self.published = Published()
        self.reader = stores.reader
        self.lists = stores.lists
        self.process = world.random(8).hex()
        self.broken: asyncio.Future[BaseException] | None = None
        self.stopping = False
        self.held = 0
        self.held_by = Counter[str]()
        self.turns = Turns()
        self._openapi: bytes | None = None
        self._docs: bytes | None = None
        self._working: asyncio.Task[None] | None = None
        self._wire(stores.session)

    def _wire(self, session: Session) -> None:
        config = self.config
        self.committer = Committer(
            session,
            self.world,
            process=self.process,
            publish=self.published.publish,
            carried=self._carried,
            broken=self._database_broken,
        )
        self.committer.on_bug = lambda command, why: self.log.error(
            "decision_failed", command=type(command).__name__, exc_info=why
        )
        self.committer.on_commit = self.metrics.commit_seconds.observe
        self.directory = Directory(self, self.sealer)
        self.card_keys = CardKeys(random=self.world.random)
        self.breakers = Breakers()
        self.psps: dict[str, Psp] = {
            "sandbox": SandboxPsp(
                self.world,
                self.turns,
                self.breakers,
                timeout_seconds=config.psp_timeout_seconds,
                max_in_flight_seconds=config.psp_max_in_flight_seconds,
                at_once_max=config.asking_max,
            )
        }
        self.per_key = Bucket(config.requests_per_second_per_key) if config.rate_limits else None
        self.per_address = Bucket(config.requests_per_second_per_address) if config.rate_limits else None
        self.notices_per_address = Bucket(config.notices_per_second_per_address) if config.rate_limits else None
        self.read_nonces = ReadNonces(2 * WINDOW_SECONDS * 1000)
        self.runner = Runner(self, self.process, handlers(self), PARKED)

    async def submit(self, command: Command[R], carry: object = None) -> R:
        return await self.committer.submit(command, carry)

    def psp(self, name: str) -> Psp:
        return self.psps[name]

    async def account(self, account: str) -> Account | None:
        return await self.directory.account(account)

    def psp_key(self, account: Account) -> str:
        return self.directory.psp_key(account)

    def challenge_page(self, attempt: str) -> str:
        return f"{self.config.origin}/checkout/challenge/{attempt}.{self.sealer.challenge_state(attempt)}"

    def asking(self, account: str = "") -> int:
        """How many questions to PSPs are under way, of one account or of all."""
        return self.runner.running(ASK_PSP, account)

    def ready(self) -> bool:
        return self._working is not None and not self._working.done() and not self.stopping

    async def figures(self) -> bytes:
        """What the admin listener shows of this process."""
        return await figures(self)

    def openapi(self) -> bytes:
        """The API's description as JSON; made at the first request for it."""
        if self._openapi is None:
            self._openapi = openapi.description(self.config.origin)
        return self._openapi

    def docs(self) -> bytes:
        """The page for people, as HTML; made at the first request for it."""
        if self._docs is None:
            style = self.assets.url("docs.css")
            loader = Linked(url=self.assets.url(LOADER), integrity=self.assets.integrity(LOADER))
            self._docs = docs.render(
                self.openapi(), templates=resources.folder("templates"), style=style, loader=loader
            )
        return self._docs

    async def start(self, *, commits_only: bool = False) -> None:
        """Begin to commit, to do what is due, and to sweep; or to commit alone, and leave what is due to a `serve`."""
        self.broken = asyncio.get_running_loop().create_future()
        self._working = self.world.spawn(self.committer.run(), "committer")
        if commits_only:
            return self.runner.stop()
        self.world.spawn(self.runner.run(), "duties")
        self.world.spawn(prune_for_ever(self), "pruning")
        self.world.spawn(expire_for_ever(self), "expiring")
        self.world.spawn(self._rotate_card_keys(), "card keys")
        return None

    def stop_holding(self) -> None:
        """End streams and answer held requests: the process is about to stop."""
        self.stopping = True
        self.published.wake_everyone()

    async def stop(self) -> None:
        """Begin nothing new, wait for what is under way (at most `drain_seconds`), commit what waits."""
        self.stop_holding()
        await self.runner.drain(self.config.drain_seconds)
        self.committer.close()
        if self._working:
            await self._working
        await self.lists.close()

    async def _rotate_card_keys(self) -> None:
        """Old card keys go on time also where nobody asks for them: what was recorded on the way could be opened."""
        while True:
            self.card_keys.current(self.world.now_ms())
            await asyncio.sleep(KEYS_LOOK_SECONDS)

    def _carried(self, reply: object, thing: object) -> None:
        duty = getattr(reply, "duty", None)
        if isinstance(duty, Duty):
            self.runner.carry(duty, thing)

    def _database_broken(self, why: BaseException) -> None:
        self.log.error("database_broken", reason=str(why))
        if self.broken and not self.broken.done():
            self.broken.set_result(why)
