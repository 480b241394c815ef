"""The forms in which a text may stand in bytes without looking like itself, and the search for all of them."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

BEGINNING = 7  # No form is shorter.
GROUPS = ((4, 4, 4, 4, 4), (4, 6, 5), (3, 3, 3, 3, 3, 3))


def forms(text: str | bytes) -> dict[str, bytes]:
    """The text, or the bytes, in each form; a form's name tells what was found."""
    made = encoded(text.encode() if isinstance(text, str) else text)
    if isinstance(text, bytes):
        return made
    made |= {
        "URL-encoded": quote(text, safe="").encode(),
        "JSON escapes": "".join(f"\\u{ord(letter):04x}" for letter in text).encode(),
        "JSON in JSON": text.replace('"', '\\"').encode(),
        "UTF-16": text.encode("utf-16-le"),
        "UTF-16, big end first": text.encode("utf-16-be"),
    }
    if text.isdigit():
        for between, name in ((" ", "spaced"), ("-", "dashed"), (".", "dotted"), ("\u00a0", "spaced without a break")):
            made |= {f"{name} by {groups[:3]}": grouped(text, groups, between).encode() for groups in GROUPS}
    return {name: form for name, form in made.items() if name == "plain" or form != made["plain"]}


def encoded(plain: bytes) -> dict[str, bytes]:
    """Bytes in each form that bytes can have."""
    made = {
        "plain": plain,
        "reversed": plain[::-1],
        "hex": plain.hex().encode(),
        "upper-case hex": plain.hex().upper().encode(),
        "hex with colons": plain.hex(":").encode(),
        "URL-encoded throughout": "".join(f"%{byte:02x}" for byte in plain).encode(),
        "URL-encoded throughout, upper case": "".join(f"%{byte:02X}" for byte in plain).encode(),
    }
    made |= {f"base64 at {offset}": base64_inside(plain, offset) for offset in range(3)}
    return made | {f"base64url at {offset}": base64_inside(plain, offset, b"-_") for offset in range(3)}


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


def search(places: Mapping[str, bytes], traces: Mapping[str, Iterable[str | bytes]]) -> list[str]:
    """Each trace that stands in a place, in whatever form; `traces` are grouped by what they were used for."""
    wanted = [
        (form, f"{used_for}: {text!r}, {name}")
        for used_for, texts in traces.items()
        for text in texts
        for name, form in forms(text).items()
    ]
    begins: dict[bytes, list[tuple[bytes, str]]] = {}
    for form, what in wanted:
        begins.setdefault(form[:BEGINNING], []).append((form, what))
    return [found for place, content in places.items() for found in _found(place, content, begins)]


def _found(place: str, content: bytes, begins: Mapping[bytes, list[tuple[bytes, str]]]) -> Iterator[str]:
    """One walk over the content, however many forms are wanted. The first of each is told."""
    told: set[str] = set()
    for at in range(len(content) - BEGINNING + 1):
        for form, what in begins.get(content[at : at + BEGINNING], ()):
            if content.startswith(form, at) and what not in told:
                told.add(what)
                yield f"{what}, in {place} at {at}: {content[max(at - 60, 0) : at + len(form) + 20]!r}"
