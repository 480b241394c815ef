"""When a receiver asks to be left alone for a while: in seconds, or until a date."""

import pytest

from paydesk.events.schedule import result_of
from paydesk.world import Answer

NOW_MS = 1_800_000_000_500  # Fri, 15 Jan 2027 08:00:00.500 GMT


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("40", 40),
        ("Fri, 15 Jan 2027 08:00:40 GMT", 40),
        ("Fri, 15 Jan 2027 09:00:00 GMT", 3600),
        ("Friday, 15-Jan-27 08:00:40 GMT", 40),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("Fri, 15 Jan 99999 07:00:00 GMT", 0),
        ("soon", 0),
        ("", 0),
        ("-5", 0),
        ("9" * 30, 0),
        ("٤٠", 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(status: int, asked: str, seconds: int) -> None:
    answer = Answer(status=status, headers={"retry-after": asked}, body=b"")
    assert result_of(answer, NOW_MS).retry_after_seconds == seconds


def test_other_answers_ask_for_nothing() -> None:
    answer = Answer(status=500, headers={"retry-after": "40"}, body=b"")
    assert result_of(answer, NOW_MS).retry_after_seconds == 0
