"""One browser and one pair of servers for the whole folder; a fresh context, Paydesk stub and shop per test.

They live no longer than the folder: Playwright's synchronous API keeps a loop running in this thread, and tests
elsewhere start loops of their own.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chromium import launch
from tests.browser.counter import Counter
from tests.browser.real import Street, Visit, opened_street
from tests.browser.serve import Stage, serving
from tests.browser.shop import Shop
from tests.browser.stub import Stub

expect.set_options(timeout=20_000)  # Playwright's five seconds are too few on a busy machine, and for a second look-up.


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def paydesk() -> Iterator[Stage]:
    with serving() as stage:
        yield stage


@pytest.fixture(scope="package")
def shops() -> Iterator[Stage]:
    with serving(ports=2) as stage:
        yield stage


@pytest.fixture(scope="package")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """The real server, PSP and shop as processes."""
    with opened_street(tmp_path_factory.mktemp("street")) as street:
        yield street


@pytest.fixture
def visit(browser: Browser, street: Street) -> Iterator[Visit]:
    """A shopper in the real shop; no page may complain."""
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(20_000)
    visit = Visit(context, street)
    yield visit
    context.close()
    assert visit.faults == []


@pytest.fixture
def counter(browser: Browser, paydesk: Stage, shops: Stage) -> Iterator[Counter]:
    with shopping(browser, paydesk, shops) as counter:
        yield counter


@pytest.fixture(scope="module")
def shared(browser: Browser, paydesk: Stage, shops: Stage) -> Iterator[Counter]:
    """One counter for all tests of a file, where a test leaves behind nothing that the next could not wipe off."""
    with shopping(browser, paydesk, shops) as counter:
        yield counter


@contextmanager
def shopping(browser: Browser, paydesk: Stage, shops: Stage) -> Iterator[Counter]:
    """The shop is another site than Paydesk (localhost and 127.0.0.1), as it is out there."""
    stub, sites = Stub(), Shop()
    shop, stranger = shops.ports
    origins = {
        "paydesk": f"http://127.0.0.1:{paydesk.ports[0]}",
        "shop": f"http://localhost:{shop}",
        "stranger": f"http://localhost:{stranger}",
    }
    stub.origins = [origins["shop"]]
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(15_000)
    with paydesk.plays(stub.app()), shops.plays(sites.app()):
        yield Counter(context, stub, sites, origins)
        context.close()
        stub.close()
