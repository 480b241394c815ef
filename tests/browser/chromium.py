"""Where the Chromium for the tests is. Never skips: a frame that no browser has seen is not tested."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def find(playwright: Playwright | None = None) -> str:
    """The path of a Chromium: PAYDESK_CHROMIUM, one on the PATH, or Playwright's own. RuntimeError if there is none."""
    if chosen := os.environ.get("PAYDESK_CHROMIUM"):
        if not Path(chosen).is_file():
            raise RuntimeError(f"PAYDESK_CHROMIUM names {chosen}, which is not there. Correct it, or unset it.")
        return chosen
    for found in map(shutil.which, NAMES):
        if found:
            return found
    if playwright and Path(playwright.chromium.executable_path).is_file():
        return playwright.chromium.executable_path
    raise RuntimeError(
        "No Chromium for the browser tests. Install one (apt install chromium, or playwright install chromium), "
        "or say where it is in PAYDESK_CHROMIUM."
    )


def launch(playwright: Playwright) -> Browser:
    """A headless Chromium that asks nobody outside for anything."""
    # The sandbox needs a user namespace of its own, which root does not get.
    alone = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return playwright.chromium.launch(executable_path=find(playwright), headless=True, args=[*QUIET, *alone])
