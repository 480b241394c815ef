"""Which failures come again by themselves, how long is waited, and what is kept of their reasons."""

import errno
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk.duties.failures import FIRST_MS, MOST_MS, backoff_ms, is_retryable, reason_of
from paydesk.errors import CODES, Refusal
from paydesk.scrubbing import LENGTH_MAX, scrubbed
from paydesk.store import Conflict, DatabaseBroken, StorageFault

CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)


@pytest.mark.parametrize(
    "why",
    [
        StorageFault("the disk is full"),
        DatabaseBroken("I/O error"),
        TimeoutError(),
        ConnectionResetError(),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EMFILE, "Too many open files"),
        ExceptionGroup("two at once", [TimeoutError(), StorageFault("x")]),
        *(Refusal(code) for code in ("storage_unavailable", "overloaded", "psp_unavailable", "rate_limited")),
    ],
    ids=repr,
)
def test_what_may_go_well_by_itself_is_retryable(why: Exception) -> None:
    assert is_retryable(why)


@pytest.mark.parametrize(
    "why",
    [
        AssertionError("no attempt"),
        KeyError("nobody's"),
        ZeroDivisionError(),
        Conflict("UNIQUE"),
        FileNotFoundError(errno.ENOENT, "No such file"),
        PermissionError(errno.EACCES, "Permission denied"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        ExceptionGroup("two at once", [TimeoutError(), KeyError("x")]),
    ],
    ids=repr,
)
def test_everything_else_is_final(why: Exception) -> None:
    assert not is_retryable(why)


def test_a_refusal_is_final_unless_it_says_come_again() -> None:
    retryable = {code for code in CODES if is_retryable(Refusal(code))}
    assert retryable == {code for code, entry in CODES.items() if entry.status in (429, 503)}


@given(st.integers(min_value=1, max_value=10_000), CHANCES)
def test_a_wait_lies_in_the_upper_half_of_its_step(failures: int, chance: float) -> None:
    step = min(FIRST_MS * 2 ** (failures - 1), MOST_MS)
    assert step // 2 <= backoff_ms(failures, chance) <= step


@given(st.integers(min_value=1, max_value=100), CHANCES, CHANCES)
def test_a_longer_row_of_failures_never_waits_less_by_the_same_chance(failures: int, one: float, other: float) -> None:
    assert backoff_ms(failures, one) <= backoff_ms(failures + 1, one)
    assert (backoff_ms(failures, one) <= backoff_ms(failures, other)) or one > other


def test_what_fails_together_does_not_come_back_together() -> None:
    waits = [backoff_ms(6, number / 100) for number in range(100)]
    assert all(0 < later - earlier < MOST_MS / 100 for earlier, later in pairwise(waits))


CARD = "4242424242424242"
SECRETS = (
    CARD,
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "3782 822463 10005",
    CARD.encode().hex(),
    "NDI0MjQyNDI0MjQyNDI0Mg==",
    "".join(chr(ord("０") + int(digit)) for digit in CARD),
    "sk_test_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "psp_0123456789abcdef01234567",
    "psp-key-of-tea-house-Number-1",
    "pi_abcdefgh0123456789abcdefghjkmnpq_secret_AbCdEf0123456789",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("text", ["{}", "no such card: {}", "{} is not what {} was", "{{'number': '{}', 'cvc': ''}}"])
def test_a_reason_holds_no_card_number_and_no_secret(secret: str, text: str) -> None:
    said = reason_of(ValueError(text.format(secret, secret)))
    assert secret not in said
    assert said.startswith("ValueError: ")


@given(st.text(), st.sampled_from(SECRETS), st.text())
def test_whatever_stands_around_it(before: str, secret: str, after: str) -> None:
    assert secret not in scrubbed(f"{before} {secret} {after}")


@pytest.mark.parametrize(
    "text",
    [
        "ask_psp:at_abcdefgh01hz8qjw3k5n7p9r1t3v5x7z9b has no attempt or no account",
        "the receiver answered 500",
        "deliver:evt_abcdefgh01hz8qjw3k5n7p9r1t:we_abcdefgh01hz8qjw3k5n7p9r1t has no event or no delivery",
        "payment_intents: 0 of 1 rows were as loaded",
    ],
)
def test_what_helps_people_stays(text: str) -> None:
    assert reason_of(AssertionError(text)) == f"AssertionError: {text}"


def test_a_reason_is_one_line_and_not_long() -> None:
    said = scrubbed("first\nsecond\t" + "word " * 1000)
    assert "\n" not in said
    assert len(said) == LENGTH_MAX
    assert reason_of(TimeoutError()) == "TimeoutError"
