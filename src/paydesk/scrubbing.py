"""Texts that an exception, a PSP or a receiver made: kept for people, without what must be kept nowhere."""

import re

LENGTH_MAX = 300  # Enough for a sentence and a name; a traceback is in the log.

_DIGITS = re.compile(
    r"\d(?:[\s\-./_,\u00ad\u200b-\u2015\u2060\u2212\ufeff]{0,3}\d){11,}"
)  # From 12 digits on it may be a card number.
_NAMED = re.compile(r"\b(?:sk_(?:test|live)_|whsec_|psp_|Bearer\s+)[^\s\"',;)]+|_secret_[A-Za-z0-9_\-]+")
# A word of 20 and more with a capital and a digit in it: base64 of whatever. Our ids and digests are in lower case.
_ENCODED = re.compile(r"(?=[\w+\-]*[A-Z])(?=[\w+\-]*[0-9])[\w+\-]{20,}=*")


def scrubbed(text: str) -> str:
    """One line of it: no run of digits as long as a card number, no secret, nothing encoded, and not much."""
    line = " ".join(text.split())
    line = _NAMED.sub("[secret]", line)
    line = _DIGITS.sub("[digits]", line)
    line = _ENCODED.sub("[encoded]", line)
    return line if len(line) <= LENGTH_MAX else line[: LENGTH_MAX - 1] + "…"
