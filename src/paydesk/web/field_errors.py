"""msgspec's sentences about a field as refusals of ours: the code, the field's name, and what was expected of it.

A name that a stranger chose is repeated only if it is a harmless one, and a value never: an error goes into logs, and
someone may send a card number in either.
"""

import re
from typing import Any

from paydesk.errors import Refusal
from paydesk.web.card_numbers import looks_like_card_number

_HARMLESS = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,120}")

# Two sentences name a field themselves; any sentence may end with the place that it is about.
_MISSING = re.compile(r"Object missing required field `(.*?)`(?: - at `\$(.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$(.*)`)?", re.DOTALL)
_OTHER = re.compile(r"(.*?)(?: - at (?:`key` in )?`\$(.*)`)?", re.DOTALL)

_TYPES = re.compile(r"`([a-z]+(?: \| [a-z]+)*)`")
_IN_JSON = {"int": "integer", "str": "string", "bool": "boolean", "float": "number with a fraction"}
_IN_PYTHON = {"int": int, "str": str, "bool": bool, "float": float, "object": dict, "array": list, "null": type(None)}


def field_refusal(sentence: str, value: dict[str, Any]) -> Refusal:
    """The refusal for what msgspec said about this value."""
    if found := _MISSING.fullmatch(sentence):
        param = joined(_place(found[2]), found[1])
        return Refusal("parameter_missing", f"`{param}` is missing.", param=param)
    if found := _UNKNOWN.fullmatch(sentence):
        place = _place(found[2])
        param = joined(place, found[1])
        message = f"`{param}` is not a field of this request." if param != place else ""
        return Refusal("parameter_unknown", message, param=param or None)
    found = _OTHER.fullmatch(sentence)
    reason, path = found.groups() if found else ("", None)
    param = _with_key(_place(path), reason, value) if path and path.endswith("[...]") else _place(path)
    return Refusal("parameter_invalid", f"`{param or 'body'}`: {_in_our_words(reason)}.", param=param or None)


def joined(place: str, name: str) -> str:
    """`place.name`, or the place alone where the name is not fit to be repeated."""
    if not _is_harmless(name):
        return place
    return f"{place}.{name}" if place else name


def _place(path: str | None) -> str:
    """`$.a.b[1].c` as `a.b[1].c`. msgspec hides the keys of a dict as `[...]`: what lies behind has no name here."""
    place = (path or "").partition("[...]")[0].removeprefix(".")
    return place if _is_harmless(place) else ""  # an unknown field's name can be made to look like a place


def _is_harmless(name: str) -> bool:
    return bool(_HARMLESS.fullmatch(name)) and not looks_like_card_number(name)


def _with_key(place: str, reason: str, value: Any) -> str:
    """Behind the place of a dict the key whose value is of the type that was complained about."""
    for name in place.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    got = _IN_PYTHON.get(reason.rpartition("got `")[2].removesuffix("`"))
    wrong = [key for key, inner in value.items() if type(inner) is got] if isinstance(value, dict) else []
    return joined(place, wrong[0]) if wrong else place


def _in_our_words(reason: str) -> str:
    if reason.startswith("Invalid enum value"):
        return "not one of the values that it may have"
    if not reason.startswith("Expected "):  # it may repeat the value
        return "not a value that it may have"
    return _TYPES.sub(_types_in_json, reason[0].lower() + reason[1:])


def _types_in_json(found: re.Match[str]) -> str:
    return " or ".join(_IN_JSON.get(name, name) for name in found[1].split(" | "))
