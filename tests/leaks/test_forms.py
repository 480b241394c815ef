"""The searcher finds what is planted, in each form, and nothing where nothing is: else 0 hits would mean nothing."""

import base64
import json
import random
from urllib.parse import quote

import pytest

from tests.leaks.forms import forms, search
from tests.leaks.marks import Mark, Marks
from tests.vault.seal_card import seal_card

NOISE = random.Random(5).randbytes(200_000)
CARD = Mark(used_for="test", number="4539148803436467", cvc="731", name="Marked 0a1b2c")
WHOLE = {"number": CARD.number, "exp_month": 12, "cvc": CARD.cvc, "name": CARD.name}


def hits(content: bytes) -> list[str]:
    return search({"here": content}, {"test": CARD.traces})


def test_nothing_is_found_in_noise() -> None:
    assert hits(NOISE) == []
    assert hits(b"**** 6467, 12/29, visa, 731") == []


PLANTS: dict[str, bytes] = {
    "plain": CARD.number.encode(),
    "truncated": CARD.number[:12].encode(),
    "spaced": b"4539 1488 0343 6467",
    "dashed": b"4539-1488-0343-6467",
    "without a break": "4539\u00a01488\u00a00343\u00a06467".encode(),
    "hex": CARD.number.encode().hex().encode(),
    "upper-case hex": CARD.number.encode().hex().upper().encode(),
    "reversed": CARD.number[::-1].encode(),
    "UTF-16": CARD.number.encode("utf-16"),
    "UTF-16, big end first": CARD.number.encode("utf-16-be"),
    "URL-encoded": "".join(f"%{ord(digit):02X}" for digit in CARD.number).encode(),
    "JSON escapes": "".join(f"\\u00{ord(digit):02x}" for digit in CARD.number).encode(),
    "JSON": json.dumps({"cvc": CARD.cvc}).encode(),
    "JSON without spaces": json.dumps({"cvc": CARD.cvc}, separators=(",", ":")).encode(),
    "JSON in JSON": json.dumps(json.dumps({"cvc": CARD.cvc})).encode(),
    "a form": b"exp=12&cvc=731&",
    "a form's JSON": quote(json.dumps({"cvc": CARD.cvc}), safe="").encode(),
    "printed by Python": repr({"cvc": CARD.cvc}).encode(),
    "a printed struct": b"Card(exp_month=12, cvc='731')",
    "the holder's name": CARD.name.encode(),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_planted_is_found(plant: str) -> None:
    assert hits(NOISE[:999] + PLANTS[plant] + NOISE[999:])


@pytest.mark.parametrize("offset", range(6))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_wherever_it_begins(encode: object, offset: int) -> None:
    assert callable(encode)
    planted = encode(NOISE[:offset] + CARD.number.encode() + NOISE[:7])
    found = hits(NOISE + planted + NOISE)
    assert [hit for hit in found if "base64" in hit]
    cvc = encode(NOISE[:offset] + json.dumps(WHOLE, separators=(",", ":")).encode())
    assert [hit for hit in hits(cvc) if "cvc" in hit]


def test_forms_are_long_enough_not_to_occur_by_chance() -> None:
    for trace in CARD.traces:
        assert min(len(form) for form in forms(trace).values()) >= 7, trace


def test_made_up_numbers_are_all_different_and_pass_luhn() -> None:
    marks = Marks(1)
    numbers = [marks.card("test").number for _ in range(50)]
    assert len({number[:-4] for number in numbers}) == 50
    for number in numbers:
        digits = [int(digit) for digit in reversed(number)]
        assert (sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def test_what_is_sealed_is_not_found() -> None:
    from joserfc.jwk import ECKey

    jwk = ECKey.generate_key("P-256", private=False).as_dict() | {"kid": "k"}
    assert hits(seal_card(jwk, WHOLE).encode()) == []
