"""Merchants, their accounts (a merchant in one mode) and their API keys. Called by the door on every request, and by
the command line.

Read: `rows.py`, `create.py` (a merchant with its test account), `directory.py` (accounts and keys as the door sees
them, kept fresh), `notices.py` (where its PSP calls, and with which secret).
"""

from paydesk.merchants.create import CreateMerchant, NewMerchant, Terms, new_merchant
from paydesk.merchants.directory import Directory, KeyInUse
from paydesk.merchants.rows import Account, ApiKey, Merchant

__all__ = [
    "Account",
    "ApiKey",
    "CreateMerchant",
    "Directory",
    "KeyInUse",
    "Merchant",
    "NewMerchant",
    "Terms",
    "new_merchant",
]
