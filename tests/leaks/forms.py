"""The forms in which a text may stand in bytes without looking like itself, and the search for all of them."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

GROUPS = ((4, 4, 4, 4, 4), (4, 6, 5), (3, 3, 3, 3, 3, 3))


def forms(text: str) -> dict[str, bytes]:
    """The text in each form; a form's name tells what was found."""
    plain = text.encode()
    made = {
        "plain": plain,
        "reversed": plain[::-1],
        "hex": plain.hex().encode(),
        "upper-case hex": plain.hex().upper().encode(),
        "hex with colons": plain.hex(":").encode(),
        "URL-encoded": quote(text, safe="").encode(),
        "URL-encoded throughout": "".join(f"%{byte:02x}" for byte in plain).encode(),
        "URL-encoded throughout, upper case": "".join(f"%{byte:02X}" for byte in plain).encode(),
        "JSON escapes": "".join(f"\\u{ord(letter):04x}" for letter in text).encode(),
        "JSON in JSON": text.replace('"', '\\"').encode(),
        "UTF-16": text.encode("utf-16-le"),
        "UTF-16, big end first": text.encode("utf-16-be"),
    }
    made |= {f"base64 at {offset}": base64_inside(plain, offset) for offset in range(3)}
    made |= {f"base64url at {offset}": base64_inside(plain, offset, b"-_") for offset in range(3)}
    if text.isdigit():
        for between, name in ((" ", "spaced"), ("-", "dashed"), (".", "dotted"), ("\u00a0", "spaced without a break")):
            made |= {f"{name} by {groups[:3]}": grouped(text, groups, between).encode() for groups in GROUPS}
    return made


def base64_inside(plain: bytes, offset: int, alphabet: bytes = b"+/") -> bytes:
    """What of the base64 of a longer text is made of `plain` alone, where `plain` begins `offset` bytes off."""
    whole = base64.b64encode(b"\0" * offset + plain, alphabet)
    return whole[-(-offset * 8 // 6) : (offset + len(plain)) * 8 // 6]


def grouped(digits: str, groups: Sequence[int], between: str) -> str:
    """The digits as they are printed on a card, as far as they go."""
    parts: list[str] = []
    for size in groups:
        parts.append(digits[:size])
        digits = digits[size:]
    return between.join(part for part in [*parts, digits] if part)


def search(places: Mapping[str, bytes], traces: Mapping[str, Iterable[str]]) -> list[str]:
    """Each trace that stands in a place, in whatever form; `traces` are grouped by what they were used for."""
    return [found for used_for, texts in traces.items() for text in texts for found in _found(places, used_for, text)]


def _found(places: Mapping[str, bytes], used_for: str, text: str) -> Iterator[str]:
    for form, wanted in forms(text).items():
        for place, content in places.items():
            at = content.find(wanted)
            if at >= 0:
                around = content[max(at - 60, 0) : at + len(wanted) + 20]
                yield f"{used_for}: {text!r}, {form}, in {place} at {at}: {around!r}"
