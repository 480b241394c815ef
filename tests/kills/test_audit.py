"""The audit finds what it is for: each kind of damage, done to a copy of a database in which all is well."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kills.audit import audit
from tests.kills.played import Played, damaged, play
from tests.kills.promises import broken_promises
from tests.kills.report import refused_by_commands
from tests.stage.stage import staged

pytestmark = pytest.mark.xdist_group("audit")  # One run for all of them.


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    with staged(tmp_path_factory.mktemp("played")) as stage:
        return play(stage)


def test_nothing_is_found_where_all_is_well(played: Played) -> None:
    assert audit(played.database, played.books, played.received) == []
    assert audit(played.database, played.books, None) == []
    assert broken_promises(played.database, played.promises) == []
    assert list(refused_by_commands(played.database.parent)) == []


PAID = "(SELECT id FROM payment_intents ORDER BY id DESC LIMIT 1)"

DAMAGES: list[tuple[str, str]] = [
    ("UPDATE attempts SET status = 'asking' WHERE status = 'captured'", "is still asking"),
    (f"UPDATE payment_intents SET status = 'processing' WHERE id = {PAID}", "is still processing"),
    (f"UPDATE payment_intents SET outcome_unknown = 1 WHERE id = {PAID}", "its outcome open"),
    (
        "INSERT INTO duties (version, account, id, kind, subject, note, tries, due_ms, owner, lease, created_ms) "
        "SELECT version, account, 'ask_psp:' || id, 'ask_psp', id, '', 0, 0, '', 0, 0 FROM attempts",
        "is still owed",
    ),
    ("UPDATE idempotency_keys SET status = 0", "is still running"),
    (f"DELETE FROM payment_intents WHERE id = {PAID}", "has attempts and is not there"),
    (f"UPDATE payment_intents SET received_minor = 1 WHERE id = {PAID}", "received 1"),
    (f"UPDATE payment_intents SET status = 'requires_payment_method' WHERE id = {PAID}", "paid by ['at_"),
    (f"UPDATE payment_intents SET latest_attempt = 'at_x' WHERE id = {PAID}", "and at_x followed"),
    (f"UPDATE payment_intents SET attempts = 7 WHERE id = {PAID}", "counts 7 attempts"),
    ("DELETE FROM attempts WHERE status = 'captured'", "which nobody here knows"),
    ("UPDATE attempts SET status = 'not_sent' WHERE status = 'captured'", "and here stands ('not_sent'"),
    ("UPDATE attempts SET psp_reference = 'ch_x' WHERE status = 'declined'", "which the PSP does not have"),
    ("DELETE FROM ledger_transactions", "has 0 ledger transactions"),
    ("UPDATE ledger_transactions SET reference = reference || 'x'", "which the PSP did not capture"),
    ("UPDATE ledger_transactions SET subject = 'pi_x'", "paid another intent"),
    ("DELETE FROM ledger_transactions", "and no such transaction"),
    ("DELETE FROM ledger_postings WHERE line = '1'", "sum to {'usd': -"),
    ("DELETE FROM ledger_postings", "the 0 postings of"),
    ("UPDATE ledger_postings SET amount_minor = amount_minor * 2", "is over 4200"),
    ("UPDATE ledger_balances SET amount_minor = amount_minor + 1", "and its postings sum to"),
    ("DELETE FROM ledger_balances", "is None, and its postings sum to"),
    ("DELETE FROM events WHERE sequence = 2", "events, and has"),
    ("UPDATE events SET previous_event_id = 'evt_x' WHERE sequence = 2", "do not follow each other"),
    ("UPDATE payment_intents SET latest_event = 'evt_x'", "do not follow each other"),
    (
        "UPDATE events SET type = 'payment_intent.processing' WHERE type LIKE '%succeeded'",
        "and 0 events say that it succeeded",
    ),
    ("UPDATE event_feeds SET position = position + 1", "the feed of"),
    ("UPDATE deliveries SET status = 'dead' WHERE sequence = 2", ": dead"),
    (
        "INSERT INTO dead_duties VALUES ('a', 'ask_psp:at_x', 'ask_psp', 'at_x', '', 'KeyError', 0, 5, 5, 1, 2)",
        "parked",
    ),
    ("DELETE FROM deliveries WHERE sequence = 1", ": None"),
    ("DELETE FROM events WHERE sequence = 1", "and no such event was recorded"),
    ("UPDATE events SET body = x'7b7d' WHERE sequence = 1", "with another content"),
    ("UPDATE audit_entries SET actor = 'operator' WHERE number = 3", "does not follow line 2"),
    ("DELETE FROM audit_entries WHERE number = 2", "does not follow line 1"),
    ("UPDATE audit_heads SET number = 9", "which is not its head"),
    ("UPDATE audit_entries SET action = ''", "was done 1 times, by 0 lines"),
    (
        "UPDATE audit_entries SET action = 'POST /v1/refunds' WHERE action LIKE '%capture'",
        "was done 0 times, by 1 lines",
    ),
    ("UPDATE payment_intents SET refunding_minor = 1", "is still to be captured, canceled or refunded"),
    ("UPDATE errands SET status = 'asking'", "is still asking"),
    ("UPDATE refunds SET status = 'pending'", "is still pending"),
    ("UPDATE disputes SET status = 'needs_response'", "is still needs_response"),
    ("UPDATE notices SET status = 'parked'", "is still parked"),
    ("UPDATE attempts SET captured_minor = 4201 WHERE captured_minor = 3000", "and 4201 was captured"),
    ("UPDATE attempts SET captured_minor = 4199 WHERE captured_minor = 4200", "and 4199 was captured"),
    ("UPDATE attempts SET status = 'captured' WHERE status = 'canceled'", "is canceled, received 0, paid by ['at_"),
    ("DELETE FROM refunds WHERE status = 'succeeded'", "which nobody here knows"),
    ("UPDATE refunds SET charge = 'ch_x'", "and here stands ('re_"),
    ("UPDATE payment_intents SET refunded_minor = 999 WHERE refunded_minor = 1000", "counts 999 refunded"),
    ("UPDATE payment_intents SET received_minor = 999 WHERE refunded_minor = 1000", "and 1000 went back"),
    ("UPDATE payment_intents SET disputed_minor = 0", "counts 0 disputed, and its disputes are 700"),
    ("DELETE FROM ledger_transactions WHERE kind = 'refund_reversed'", "is failed, and booked is ['refund"),
    ("DELETE FROM ledger_transactions WHERE kind = 'dispute_lost'", "is lost, and booked is ['dispute_opened']"),
    ("UPDATE ledger_transactions SET reference = 'x' WHERE kind = 'dispute_lost'", "is booked of x, which nobody"),
    ("UPDATE ledger_balances SET amount_minor = 1 WHERE ledger_account LIKE '%/refunds/usd'", "still holds 1"),
    ("UPDATE ledger_balances SET amount_minor = 1 WHERE ledger_account LIKE '%/psp_clearing/%'", "than the books say"),
    ("UPDATE events SET type = 'refund.updated' WHERE type = 'refund.failed'", "is failed, and its events are"),
    ("UPDATE events SET type = 'charge.dispute.created'", "is lost, and its events are"),
    ("UPDATE events SET type = 'x' WHERE type = 'payment_intent.canceled'", "and 0 events say that it canceled"),
]


@pytest.mark.parametrize("number", range(len(DAMAGES)))
def test_damage_is_found(played: Played, tmp_path: Path, number: int) -> None:
    statement, sentence = DAMAGES[number]
    found = audit(damaged(played, tmp_path, statement), played.books, played.received)
    assert [violation for violation in found if sentence in violation], found


Wrong = Callable[[dict[str, Any]], Any]


COMMANDS: list[tuple[str, str]] = [
    ("UPDATE ledger_postings SET amount_minor = amount_minor + 1 WHERE line = '1'", "`paydesk ledger verify` says {"),
    ("UPDATE audit_entries SET actor = 'operator' WHERE number = 3", "`paydesk audit verify` says {"),
]


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_the_operators_commands_find_it(played: Played, tmp_path: Path, number: int) -> None:
    statement, sentence = COMMANDS[number]
    found = list(refused_by_commands(damaged(played, tmp_path, statement).parent))
    assert len(found) == 1, found
    assert found[0].startswith(sentence)


def again(table: str, **other: Any) -> Wrong:
    """The PSP has the last of these once more."""
    return lambda books: books[table].append(books[table][-1] | {"id": "x_again"} | other)


def change(table: str, **other: Any) -> Wrong:
    return lambda books: books[table][0].update(other)


AT_PSP: list[tuple[Wrong, str]] = [
    (again("charges"), "was charged 2 times"),
    (again("charges", reference="at_x"), "of at_x, which nobody here knows"),
    (change("charges", amount_captured=3001), "the PSP says ('captured'"),
    (change("charges", amount_refunded=1001), "refunded, and the PSP 1001"),
    (again("refunds"), "was refunded 2 times"),
    (again("refunds", reference="re_x"), "of re_x, which nobody here knows"),
    (change("refunds", status="failed"), "the PSP says ('re_"),
    (change("refunds", amount=1), "the PSP says ('re_"),
    (lambda books: books["refunds"].pop(), "and the PSP does not have it"),
    (again("disputes"), "the PSP has x_again of at_"),
    (change("disputes", status="won"), "the PSP says ('dp_"),
    (lambda books: books["disputes"].clear(), "the PSP holds 700 usd more than the books say"),
    (lambda books: books["charged_twice"].append("at_x"), "at_x was charged_twice"),
    (lambda books: books["refunded_twice"].append("re_x"), "re_x was refunded_twice"),
]


@pytest.mark.parametrize("number", range(len(AT_PSP)))
def test_what_the_psp_has_otherwise_is_found(played: Played, number: int) -> None:
    make_wrong, sentence = AT_PSP[number]
    books = copy.deepcopy(dict(played.books))
    make_wrong(books)
    found = audit(played.database, books, played.received)
    assert [violation for violation in found if sentence in violation], found


TOLD: list[tuple[Callable[[list[dict[str, Any]]], Any], str]] = [
    (list.pop, "counts as delivered, and never arrived"),
    (list.clear, "counts as delivered, and never arrived"),
    (list.reverse, "came after number"),
    (lambda received: received[0].update(sequence=9), "with another content"),
    (lambda received: received[0].update(id="evt_x"), "no such event was recorded"),
]


@pytest.mark.parametrize("number", range(len(TOLD)))
def test_what_was_not_told_is_found(played: Played, number: int) -> None:
    make_wrong, sentence = TOLD[number]
    received = copy.deepcopy(played.received)
    make_wrong(received)
    found = audit(played.database, played.books, received)
    assert [violation for violation in found if sentence in violation], found


def test_an_event_may_come_twice(played: Played) -> None:
    assert audit(played.database, played.books, [*played.received, *played.received]) == []


BROKEN: list[tuple[str, str]] = [
    (f"DELETE FROM payment_intents WHERE id = {PAID}", "was acknowledged and is not there"),
    (f"UPDATE payment_intents SET amount_minor = 1 WHERE id = {PAID}", "was acknowledged over 4200 and is over 1"),
    (f"UPDATE payment_intents SET status = 'canceled' WHERE id = {PAID}", "acknowledged as succeeded and is canceled"),
    (f"UPDATE payment_intents SET version = 1 WHERE id = {PAID}", "and is in 1"),
    ("UPDATE payment_intents SET received_minor = 1 WHERE received_minor = 3000", "with 3000 received and has 1"),
    ("DELETE FROM refunds", "re_"),
    ("UPDATE refunds SET status = 'not_made' WHERE status = 'succeeded'", "as succeeded and is not_made"),
    ("UPDATE refunds SET metadata = '{\"order\":\"paid-at-once\"}' WHERE status = 'failed'", "begun 2 times"),
    ("UPDATE disputes SET status = 'won'", "acknowledged as lost and is won"),
    ("DELETE FROM idempotency_keys WHERE idempotency_key LIKE '%captured'", "and kept is None"),
    ("UPDATE idempotency_keys SET body = x'7b7d' WHERE idempotency_key LIKE '%canceled'", "and kept is b'{}'"),
    ("DELETE FROM attempts WHERE status = 'declined'", "1 declines were acknowledged, and 0 are there"),
    ('UPDATE payment_intents SET metadata = \'{"order":"paid-at-once"}\'', "was begun 6 times"),
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_promise_is_found(played: Played, tmp_path: Path, number: int) -> None:
    statement, sentence = BROKEN[number]
    found = broken_promises(damaged(played, tmp_path, statement), played.promises)
    assert [violation for violation in found if sentence in violation], found
