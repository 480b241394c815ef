"""Ids sort by time, are those of their account, and are UUIDv7 inside."""

import uuid
from base64 import b32hexdecode

from hypothesis import given
from hypothesis import strategies as st

from paydesk.store import Work, account_of, make_id, shard_of
from paydesk.store.ids import letters, uuid7
from tests.store.exam_rows import ACCOUNT, Do
from tests.store.opened import opened
from tests.store.sitter import Sitter

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
TO_HEX32 = str.maketrans(CROCKFORD, "0123456789ABCDEFGHIJKLMNOPQRSTUV")
MOMENTS = st.integers(0, 2**48 - 1)
COUNTS = st.integers(0, 0xFFF)
CHANCES = st.integers(0, 2**62 - 1)


@given(st.lists(st.tuples(MOMENTS, COUNTS, CHANCES), min_size=2))
def test_ids_sort_as_their_times_and_counts(made: list[tuple[int, int, int]]) -> None:
    ids = {one: make_id("pi", shard_of(ACCOUNT), *one) for one in made}
    assert sorted(ids.values()) == [ids[one] for one in sorted(ids)]
    assert {id_.encode() for id_ in ids.values()} == {id_.encode().lower() for id_ in ids.values()}


@given(MOMENTS, COUNTS, CHANCES)
def test_inside_is_a_uuid_of_version_7(now_ms: int, count: int, random62: int) -> None:
    text = letters(uuid7(now_ms, count, random62))
    assert len(text) == 26
    inside = uuid.UUID(bytes=b32hexdecode(text.translate(TO_HEX32) + "======"))
    assert (inside.version, inside.variant, inside.int >> 80) == (7, uuid.RFC_4122, now_ms)


def test_an_id_finds_its_account() -> None:
    made = make_id("pi", shard_of(ACCOUNT), 1, 2, 3)
    assert made.startswith("pi_0123abcd")
    assert len(made) == len("pi_") + 8 + 26
    for some_id in (made, ACCOUNT, "key_test_0123abcdefghjkmnpqrstvwx"):
        assert account_of(some_id) == ACCOUNT


def test_more_ids_than_the_counter_holds_are_still_made() -> None:
    assert make_id("pi", "0123abcd", 5, 4096, 9) == make_id("pi", "0123abcd", 5, 0, 9)


def test_ids_of_one_command_sort_as_made_and_those_of_two_differ(sitter: Sitter) -> None:
    async def exam() -> None:
        async with opened(sitter) as store:
            many = Do(act=lambda work: [work.id("evt", ACCOUNT) for _ in range(100)])
            one, two = await store.together(many, many)
            assert one == sorted(one)
            assert len({*one, *two}) == 200

    sitter.run(exam())


def test_an_id_made_in_a_block_that_failed_is_not_made_again(sitter: Sitter) -> None:
    def act(work: Work) -> list[str]:
        made: list[str] = []
        for _ in range(2):
            try:
                with work.nested() as inner:
                    made.append(inner.id("evt", ACCOUNT))
                    raise LookupError
            except LookupError:
                made.append(work.id("evt", ACCOUNT))
        return made

    async def exam() -> None:
        async with opened(sitter) as store:
            assert len(set(await store.submit(Do(act=act)))) == 4

    sitter.run(exam())
