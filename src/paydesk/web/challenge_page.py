"""The headers of a challenge's two documents (protocol.md, section 5): ours around the bank's page, and the way back.

Neither holds a card field. The bank's page stands in a sandbox: it may send the shopper back, and lead nowhere else.
"""

import re
from collections.abc import Sequence

from paydesk.web.page import CONSTANT, NOBODY, OURSELVES, Headers, policy_header

BANKS = "https:"
TEST_BANKS = "https: http://localhost:* http://127.0.0.1:*"
"""Where banks' pages may be, in live and in test mode."""

BANK_PAGE = re.compile(r"https://.+")
TEST_BANK_PAGE = re.compile(r"https://.+|http://(?:localhost|127\.0\.0\.1)(?::[0-9]{1,5})?/.*")


def may_be_a_banks(url: str, *, livemode: bool) -> bool:
    """Whether a browser would show this address in the challenge document."""
    return (BANK_PAGE if livemode else TEST_BANK_PAGE).fullmatch(url) is not None


def challenge_headers(*, origins: Sequence[str], nonce: str, livemode: bool, isolated: bool) -> Headers:
    """Of the document around the bank's page. A bank's page knows nothing of embedder policies, so the document has
    none; or, in a shop that is isolated, the one under which a page that says nothing may be framed without cookies.
    """
    banks = BANKS if livemode else TEST_BANKS
    policy = policy_header(origins=origins, nonce=nonce, frames=f"{OURSELVES} {banks}", forms=banks)
    return [policy, *CONSTANT, *([(b"cross-origin-embedder-policy", b"credentialless")] if isolated else [])]


def return_headers(*, origins: Sequence[str], nonce: str) -> Headers:
    """Of the document that the bank sends the shopper back to; around it stands ours, and around that the shop."""
    return [policy_header(origins=origins, nonce=nonce, frames=NOBODY, around=(OURSELVES,)), *CONSTANT]
