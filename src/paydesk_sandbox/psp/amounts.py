"""Fields that several requests have."""

from typing import Annotated

from msgspec import Meta

Amount = Annotated[int, Meta(gt=0, le=10**12)]
"""In the currency's minor unit."""
Reference = Annotated[str, Meta(min_length=1, max_length=255)]
"""The merchant's own name for it."""
