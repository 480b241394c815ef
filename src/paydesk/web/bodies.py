"""A request's body, read as strictly as money wants it: one JSON object, each key once, each field of its type.

msgspec refuses floats for integers and unknown fields, but takes a key twice (the last one wins, which another reader
on the way may see otherwise), takes `\\u0000`, and recurses. So the brackets are counted, then the standard library's
parser reads with an eye on each object's pairs, and msgspec makes the struct out of what was read.
"""

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec

from paydesk.errors import Refusal
from paydesk.payments.update import METADATA_BYTES_MAX, METADATA_KEYS_MAX
from paydesk.web.card_numbers import refuse_card_numbers
from paydesk.web.field_errors import field_refusal, joined

T = TypeVar("T", bound=msgspec.Struct)

DEPTH_MAX = 16
NUMBER_CHARACTERS_MAX = 40
"""Twice what the largest integer of a database has. Parsing an integer costs the square of its digits."""

METADATA_KEY_CHARACTERS_MAX = 40
METADATA_VALUE_CHARACTERS_MAX = 500


def decode(body: bytes, kind: type[T]) -> T:
    """Read the body into a struct of this kind; an empty body is `{}`.

    Refusals: `malformed_json` for what is no clean JSON object, whatever its fields; then `parameter_missing`,
    `parameter_unknown` or `parameter_invalid` for the first field that does not fit, with its name in `param`.
    """
    value = _read(body) if body else {}
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise field_refusal(str(error), value) from None


def check_metadata(metadata: dict[str, str]) -> None:
    """Refuse (`metadata_invalid`) what breaks a limit, and (`card_number_in_text`) a card number in key or value."""
    if len(metadata) > METADATA_KEYS_MAX:
        raise Refusal("metadata_invalid", f"There are more than {METADATA_KEYS_MAX} keys.", param="metadata")
    for key, text in metadata.items():
        param = joined("metadata", key)
        if not 0 < len(key) <= METADATA_KEY_CHARACTERS_MAX:
            raise Refusal(
                "metadata_invalid", f"A key has 1 to {METADATA_KEY_CHARACTERS_MAX} characters.", param="metadata"
            )
        if len(text) > METADATA_VALUE_CHARACTERS_MAX:
            raise Refusal(
                "metadata_invalid", f"The value has more than {METADATA_VALUE_CHARACTERS_MAX} characters.", param=param
            )
        refuse_card_numbers(param, key)
        refuse_card_numbers(param, text)
    if len(msgspec.json.encode(metadata)) > METADATA_BYTES_MAX:
        raise Refusal("metadata_invalid", f"It has more than {METADATA_BYTES_MAX} bytes as JSON.", param="metadata")


_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


def _read(body: bytes) -> dict[str, Any]:
    _check_depth(body)
    try:
        value = _PARSER.decode(body.decode())
    except UnicodeDecodeError:
        raise _malformed("It is not valid UTF-8.") from None
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} (line {error.lineno}, column {error.colno}).") from None
    if not isinstance(value, dict):
        raise _malformed("It is not an object.")
    if b"\\u" in body:  # an escape is the only way in for what is not text
        _check_text(value)
    return value


def _check_depth(body: bytes) -> None:
    """Before anything recurses. Pairs of brackets vanish, innermost first, once for each level that is allowed."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return
    left = _STRING.sub(b"", body).translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(DEPTH_MAX):
        left = left.replace(b"[]", b"")
    if left:
        raise _malformed(f"It is nested more than {DEPTH_MAX} deep, or a bracket has no partner.")


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if _NOT_TEXT.search(value):
            raise _malformed("A string holds \\u0000 or half of a surrogate pair.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise _malformed("A key stands twice in one object.")
    return read


def _integer(text: str) -> int:
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise _malformed("A number has too many digits.")
    return int(text)


def _fraction(text: str) -> float:
    """Kept apart from integers, so that msgspec refuses it where an integer belongs."""
    number = float(text) if len(text) <= NUMBER_CHARACTERS_MAX else float("inf")
    if number in (float("inf"), float("-inf")):
        raise _malformed("A number is too large, or has too many digits.")
    return number


def _no_number(text: str) -> NoReturn:
    raise _malformed(f"{text} is not a number in JSON.")


def _malformed(reason: str) -> Refusal:
    return Refusal("malformed_json", f"The body is not one JSON object in UTF-8 with each key once. {reason}")


_PARSER = json.JSONDecoder(
    object_pairs_hook=_once_each, parse_int=_integer, parse_float=_fraction, parse_constant=_no_number
)
