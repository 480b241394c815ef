"""A browser per test file, a fresh Paydesk stub and shop per test.

The browser lives no longer than its file: Playwright's synchronous API keeps a loop running in this thread, and tests
elsewhere start loops of their own.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import launch
from tests.browser.counter import Counter
from tests.browser.serve import serving
from tests.browser.shop import Shop
from tests.browser.stub import Stub


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def stub() -> Stub:
    return Stub()


@pytest.fixture
def counter(browser: Browser, stub: Stub) -> Iterator[Counter]:
    """The shop is another site than Paydesk (localhost and 127.0.0.1), as it is out there."""
    sites = Shop()
    with serving(stub.app()) as [paydesk], serving(sites.app(), ports=2) as [shop, stranger]:
        origins = {
            "paydesk": f"http://127.0.0.1:{paydesk}",
            "shop": f"http://localhost:{shop}",
            "stranger": f"http://localhost:{stranger}",
        }
        stub.origins = [origins["shop"]]
        context = browser.new_context(locale="en-US")
        context.set_default_timeout(15_000)
        yield Counter(context, stub, sites, origins)
        context.close()
