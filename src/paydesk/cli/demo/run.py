"""The story of a demo, from its data folder to its end."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from msgspec import Struct, to_builtins

from paydesk.cli.demo.asking import ask, ask_signed, asking
from paydesk.cli.demo.books import Book, Sale, compare
from paydesk.cli.demo.children import Children
from paydesk.cli.demo.ending import Ending
from paydesk.cli.demo.failed import DemoFailed
from paydesk.cli.demo.opening import Opened, open_shop
from paydesk.cli.demo.payment import Payment
from paydesk.cli.demo.telling import Telling
from paydesk.world import World
from paydesk.world.http import HttpOut
from paydesk.world.real import RealWorld

RUNS = Path("var/demo")
PAYMENT_SECONDS = 60.0


class Outcome(Struct, frozen=True, kw_only=True):
    """One payment, and what the three books say of it."""

    opened: Opened
    sale: Sale
    books: list[Book]

    @property
    def agree(self) -> bool:
        return all(book.agrees for book in self.books)


def run_demo(*, once: bool, data: Path | None, as_json: bool) -> int:
    """Run it; the exit status. With `once` it ends after one payment, with 0 only if the shop's webhook was verified
    and all three books agree. Raises DemoFailed.
    """
    data = data or fresh_folder(RUNS)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / "logs").mkdir(exist_ok=True)
    return asyncio.run(_demo(data, once=once, as_json=as_json))


def fresh_folder(runs: Path) -> Path:
    """A data folder in the next free `runs`/1, 2, 3 …: what an earlier run wrote can still be looked at."""
    runs.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(path.name) for path in runs.iterdir() if path.name.isdecimal()), default=0)
    while True:
        try:
            (runs / str(number)).mkdir()
        except FileExistsError:  # Another demo began at the same moment.
            number += 1
        else:
            return runs / str(number) / "paydesk"


async def _demo(data: Path, *, once: bool, as_json: bool) -> int:
    ending = Ending()
    world = RealWorld(HttpOut((), own=list), failed=ending.background_failed)
    telling = Telling(world.monotonic, quiet=as_json)
    outcome = None
    try:
        async with _children(world, data, ending) as children:
            outcome = await _play(world, children, data, telling)
            _show(outcome, children, data, telling, once=once, as_json=as_json)
            if outcome.agree and not once:
                await asyncio.Event().wait()
    except asyncio.CancelledError:
        if not ending.begun:
            raise
        if ending.why or outcome is None:
            raise ending.why or DemoFailed("It was stopped before the payment was made.") from None
    return 0 if outcome and outcome.agree else 1


@asynccontextmanager
async def _children(world: RealWorld, data: Path, ending: Ending) -> AsyncGenerator[Children]:
    """The processes, which end with the block however it ends."""
    children = Children(world, data / "logs", ending.trouble)
    try:
        yield children
    finally:
        ending.begun = True
        await children.end()
        await world.close()


async def _play(world: World, children: Children, data: Path, telling: Telling) -> Outcome:
    """Open the shop, buy something, look into all three books."""
    opened = await open_shop(children, data, telling)
    async with asking() as http:
        try:
            async with asyncio.timeout(PAYMENT_SECONDS):
                sale = await Payment(http, world, opened, telling).make()
        except TimeoutError:
            raise DemoFailed(f"The payment took more than {PAYMENT_SECONDS:.0f} s.") from None
        books = await _books(http, world, opened, sale)
    telling.step("the books were compared")
    return Outcome(opened=opened, sale=sale, books=books)


async def _books(http: httpx.AsyncClient, world: World, opened: Opened, sale: Sale) -> list[Book]:
    paydesk = f"{opened.paydesk}/v1"
    return compare(
        sale,
        intent=await ask_signed(http, world, opened.key, f"{paydesk}/payment_intents/{sale.intent}"),
        balance=await ask_signed(http, world, opened.key, f"{paydesk}/balance"),
        shop=await ask(http, "GET", f"{opened.shop}/books"),
        psp=await ask(http, "GET", f"{opened.psp}/books"),
    )


def _show(outcome: Outcome, children: Children, data: Path, telling: Telling, *, once: bool, as_json: bool) -> None:
    places = {
        "shop": outcome.opened.shop,
        "Paydesk": outcome.opened.paydesk,
        "PSP": outcome.opened.psp,
        "data": str(data),
    }
    if as_json:
        whole = {
            "agree": outcome.agree,
            "steps": to_builtins(telling.steps),
            "books": to_builtins(outcome.books),
            "places": places,
            "processes": {child.name: child.process.pid for child in children.all},
        }
        sys.stdout.write(json.dumps(whole, indent=2) + "\n")
        sys.stdout.flush()
        return
    telling.books(outcome.books, agree=outcome.agree)
    if outcome.agree and not once:
        telling.invitation(places)
