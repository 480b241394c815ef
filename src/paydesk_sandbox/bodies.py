"""JSON bodies that somebody sent: read into a type, or refused with a sentence that repeats no value of theirs."""

from typing import TypeVar

import msgspec

Read = TypeVar("Read")


class Unreadable(ValueError):
    """Not JSON, or not what was asked for."""


def read(body: bytes, kind: type[Read]) -> Read:
    """The body as a `kind`. Raises Unreadable; for a pile of brackets too, at which msgspec runs out of stack."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError:
        raise Unreadable("The JSON is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise Unreadable(str(wrong)) from None
