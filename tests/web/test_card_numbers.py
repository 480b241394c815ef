"""Card numbers in text: found however they are written, and not seen in what merchants write every day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk.errors import Refusal
from paydesk.web.card_numbers import BRANDS, brand_of, looks_like_card_number, luhn_holds, refuse_card_numbers


def complete(start: str, length: int) -> str:
    """A made-up number with these first digits, of this length, with the check digit that fits."""
    body = start.ljust(length - 1, "0")
    return next(number for digit in "0123456789" if luhn_holds(number := body + digit))


EVERY_BRAND = [
    (brand, complete(edge, length))
    for brand, ranges, lengths in BRANDS
    for edges in ranges
    for edge in sorted(set(edges))
    for length in sorted(lengths)
]
WELL_KNOWN = [
    *("4242424242424242", "5555555555554444", "2223003122003222", "378282246310005", "6011111111111117"),
    *("36227206271667", "3566002020360505", "6205500000000000004", "4222222222222", "4000000000003220"),
]


@pytest.mark.parametrize(("brand", "number"), EVERY_BRAND)
def test_every_brand_in_every_length_of_its_own(brand: str, number: str) -> None:
    assert brand_of(number) == brand
    assert looks_like_card_number(number) or len(number) == 13  # which may be a barcode


@pytest.mark.parametrize("number", WELL_KNOWN)
def test_test_cards_anywhere_in_a_text(number: str) -> None:
    for text in (
        number,
        f"paid with {number}.",
        f"card:{number},12/28",
        f"PAN{number}x",
        f"\n{number}\t",
        f"#{number}",
    ):
        assert looks_like_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "4242 - 4242 - 4242 - 4242",
            "4242\u00a04242\u00a04242\u00a04242",
        ),
        *("4242–4242–4242–4242", "42424242 42424242", "3782 822463 10005", "3782-822463-10005", "3622 720627 1667"),
        *("4222 2222 2222 2", "6205 5000 0000 0000 004", "620550 0000000000004", "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2"),
        *("order 1001 4242 4242 4242 4242", "4242 4242 4242 4242 12 28 123", "2023-11-14 4242424242424242"),
        *("4242.4242.4242.4242", "4242/4242/4242/4242", "4242_4242_4242_4242", "4242,4242,4242,4242"),
        *("3782.822463.10005", "4.2.4.2.4.2.4.2.4.2.4.2.4.2.4.2", "4242 4242.4242/4242", "1001_4242424242424242_12"),
        *(
            "4242\u200b4242\u200b4242\u200b4242",
            "42\u00ad42424242\u20604242\ufeff42",
            "4\u200d2" * 8,
            "4242\u200b 4242-4242 4242",
        ),
        *("https://shop.example/4242/4242/4242/4242?x", "pan_4242424242424242", "1/4242424242424242,12/28"),
        *("４２４２４２４２４２４２４２４２", "٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢", "1234 4242424242424242 5678", "+4242424242424242"),
    ],
)
def test_the_ways_in_which_a_card_is_written(text: str) -> None:
    assert looks_like_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "order-1001", "4242424242424241", "4242 4242 4242 4241", "424242424242", "42424242424242424242"),
        *("1234567812345670", "9999999999999995", "0000000000000000"),  # Luhn holds, no brand begins so
        *("42424242424242", "55555555555544444", "3782822463100052"),  # a brand's first digits, not its length
        *(
            "4-2023-11-14-0001234",
            "4 10 20 30 40 50 60 70",
            "42 424 24242 424242",
            "4242 4242 4242 4242428",
        ),  # groups of no card
        *("+4915112345017", "8e03978e-40d5-43e8-bc93-6894a57f9324", "20231114221320", "1700000000000"),
        *("4242a4242a4242a4242", "DE89 3704 0044 0532 0130 00", "4242..4242..4242..4242", "4242:4242:4242:4242"),
        *(
            "4242, 4242, 4242, 4242",
            "4,2,4,2,4,2,4,2,4,2,4,2,4,2,4,2",
            "4,242,424,242,424,242",
            "4.242.424.242.424.242",
        ),
        *("192.168.100.200/24", "2024/11/14 22:13:20", "42.42/42.42/42.42/42.42", "v4.2.4_2024.11.14.2213"),
        *("4242\u200b4242", "order_1001/4242/2024"),
        *("356938035643809", "4" * 500),  # an IMEI, for which Luhn always holds
    ],
)
def test_what_is_no_card(text: str) -> None:
    assert not looks_like_card_number(text)


def test_a_plus_sign_makes_a_telephone_number() -> None:
    assert looks_like_card_number("4915112345017")
    assert not looks_like_card_number("call +4915112345017")
    assert looks_like_card_number("+4915112345017 4242 4242 4242 4242")


def test_an_articles_number_is_not_an_old_visa_number() -> None:
    barcode = next(
        number
        for each in range(10**6)
        if luhn_holds(number := f"4006{each:09d}")
        and sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(number)) % 10 == 0
    )
    assert brand_of(barcode) == "visa"
    assert not looks_like_card_number(barcode)


def test_few_order_numbers_of_sixteen_digits_are_refused() -> None:
    # By Luhn alone it would be one in ten. No brand begins with 1 or 2023.
    orders = [f"{prefix}{each:012d}" for prefix in ("1000", "2023", "9001") for each in range(2000)]
    assert sum(map(luhn_holds, orders)) == 600
    assert not any(map(looks_like_card_number, orders))


@given(st.lists(st.sampled_from("0123456789"), min_size=13, max_size=19))
def test_a_list_of_ratings_is_no_card(ratings: list[str]) -> None:
    assert not looks_like_card_number(",".join(ratings))
    assert not looks_like_card_number(", ".join(ratings))


@given(st.lists(st.integers(4000, 4999), min_size=2, max_size=9))
def test_a_list_of_order_numbers_is_no_card(orders: list[int]) -> None:
    assert not looks_like_card_number(", ".join(map(str, orders)))


def test_few_order_numbers_in_groups_are_refused() -> None:
    """As few as in one piece: those that begin as a brand's do, and of these one in ten."""
    orders = [
        f"{year}/{each:04d}.{each * 7 % 10000:04d}_{each * 13 % 10000:04d}"
        for year in (1001, 2023)
        for each in range(999)
    ]
    assert not any(map(looks_like_card_number, orders))


@given(st.text(alphabet="0123456789 -./_,\u200b", max_size=60))
def test_nothing_short_or_long_breaks_it(text: str) -> None:
    looks_like_card_number(text)


@given(st.text(max_size=80), st.sampled_from(WELL_KNOWN))
def test_a_number_is_found_between_any_letters(text: str, number: str) -> None:
    assert looks_like_card_number(f"{text}x{number}x{text}")


@given(st.integers(0, 9), st.integers(0, 15))
def test_one_wrong_digit_breaks_luhn(digit: int, place: int) -> None:
    number = "4242424242424242"
    changed = number[:place] + str(digit) + number[place + 1 :]
    assert luhn_holds(changed) is (changed == number)


def test_the_refusal_names_the_field_and_not_the_number() -> None:
    refuse_card_numbers("description", "Order 1001")
    with pytest.raises(Refusal) as refused:
        refuse_card_numbers("description", "my card is 4242 4242 4242 4242")
    assert (refused.value.code, refused.value.param) == ("card_number_in_text", "description")
    assert "4242" not in str(refused.value)


def test_ids_in_hexadecimal_are_no_card_numbers() -> None:
    """4000000000000002 stands in each of them."""
    assert not looks_like_card_number("a4000000000000002bcdef0123456789")
    assert not looks_like_card_number("order a4000000000000002bcdef0123456789, paid")
    assert not looks_like_card_number("a4000000-0000-0000-2bcd-ef0123456789")
    assert not looks_like_card_number("A4000000-0000-0000-2BCD-EF0123456789")


def test_a_card_number_beside_letters_is_still_one() -> None:
    assert looks_like_card_number("a4000000000000002b")
    assert looks_like_card_number("card4000000000000002")
    assert looks_like_card_number("a4000000000000002bcdef0123456789 4000000000000002")
    assert looks_like_card_number("4000-0000-0000-0002")
