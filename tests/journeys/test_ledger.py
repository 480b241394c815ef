"""The books over the API and on the command line: what a payment posted, every change of every ledger account, a
recount, an export.
"""

import csv
import json
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path
from shutil import copyfile

import pytest

from tests.journeys.cast import Cast, refused
from tests.journeys.test_commands import paydesk, sentence, shown
from tests.journeys.test_lists import walk, walk_back
from tests.stage.shopper import DECLINED
from tests.stage.stage import Merchant, Stage

TRANSACTIONS, ACCOUNTS, ENTRIES = "/v1/ledger/transactions", "/v1/ledger/accounts", "/v1/ledger/entries"


@pytest.fixture
def tea(cast: Cast) -> Merchant:
    """A merchant with three payments, 4200, 4201 and 4202 in USD, and one in yen."""
    tea = cast.merchant(fee="1.5%+25")
    for amount, currency in ((4200, "usd"), (4201, "usd"), (500, "jpy"), (4202, "usd")):
        assert tea.shopper(tea.open(amount=amount, currency=currency)).pay().status_code == 200
    return tea


def test_a_payment_and_its_postings(tea: Merchant) -> None:
    intent = tea.client.payment_intents.list()["data"][0]
    [posted] = tea.client.ledger.transactions(payment_intent=intent["id"])["data"]
    assert (posted["object"], posted["kind"], posted["psp"]) == ("ledger_transaction", "capture", "sandbox")
    assert (posted["payment_intent"], posted["livemode"]) == (intent["id"], False)
    assert posted["id"].startswith("txn_")
    assert [(one["ledger_account"], one["amount"], one["amount_decimal"]) for one in posted["entries"]] == [
        (f"{tea.account}/psp_clearing/sandbox/usd", 4202, "42.02"),
        (f"{tea.account}/merchant_pending/usd", -4114, "-41.14"),
        (f"{tea.account}/fees/usd", -88, "-0.88"),
    ]
    assert [(one["sequence"], one["balance"]) for one in posted["entries"]] == [(3, 12603), (3, -12339), (3, -264)]
    assert {one["transaction"] for one in posted["entries"]} == {posted["id"]}


def test_transactions_newest_first_and_their_pages(cast: Cast, tea: Merchant) -> None:
    client = cast.signed(tea)
    whole = walk(client, TRANSACTIONS, 100)
    assert [one["entries"][0]["amount"] for one in whole] == [4202, 500, 4201, 4200]
    for limit in (1, 2, 3, 4):
        assert walk(client, TRANSACTIONS, limit) == whole
        assert walk_back(client, TRANSACTIONS, limit, whole[-1]["id"]) == whole[:-1]


def test_ledger_accounts_by_name_and_their_pages(cast: Cast, tea: Merchant) -> None:
    client = cast.signed(tea)
    whole = walk(client, ACCOUNTS, 100)
    assert [(one["purpose"], one["currency"], one["balance"], one["entries"]) for one in whole] == [
        ("fees", "jpy", -33, 1),
        ("fees", "usd", -264, 3),
        ("merchant_pending", "jpy", -467, 1),
        ("merchant_pending", "usd", -12339, 3),
        ("psp_clearing", "jpy", 500, 1),
        ("psp_clearing", "usd", 12603, 3),
    ]
    assert {one["purpose"]: one["normal_side"] for one in whole} == {
        "fees": "credit", "merchant_pending": "credit", "psp_clearing": "debit"
    }  # fmt: skip
    for limit in (1, 4, 5, 6):
        assert walk(client, ACCOUNTS, limit) == whole
        assert walk_back(client, ACCOUNTS, limit, whole[-1]["id"]) == whole[:-1]


def test_the_change_log_of_a_ledger_account_adds_up(cast: Cast, tea: Merchant) -> None:
    name = f"{tea.account}/merchant_pending/usd"
    log = tea.client.ledger.entries(name)["data"]
    assert [(one["sequence"], one["amount"], one["balance"], one["balance_decimal"]) for one in log] == [
        (3, -4114, -12339, "-123.39"),
        (2, -4113, -8225, "-82.25"),
        (1, -4112, -4112, "-41.12"),
    ]
    first = tea.client.ledger.entries(name, limit=2)
    assert (first["data"], first["has_more"]) == (log[:2], True)
    rest = tea.client.ledger.entries(name, limit=2, starting_after=first["data"][-1]["id"])
    assert (rest["data"], rest["has_more"]) == (log[2:], False)
    before = tea.client.ledger.entries(name, limit=1, ending_before=log[2]["id"])
    assert (before["data"], before["has_more"]) == (log[1:2], True)


def test_what_was_not_paid_posts_nothing(cast: Cast) -> None:
    tea = cast.merchant()
    intent = tea.open()
    tea.shopper(intent).pay(DECLINED)
    assert tea.client.ledger.transactions(payment_intent=intent["id"])["data"] == []
    client = cast.signed(tea)
    for path in (TRANSACTIONS, ACCOUNTS):
        assert client.get(path).json() == {"object": "list", "data": [], "has_more": False, "url": path}


def test_what_can_not_be_asked(cast: Cast, tea: Merchant) -> None:
    client = cast.signed(tea)
    refused(client.get(ENTRIES), 400, "parameter_missing", "ledger_account")
    refused(client.get(f"{ENTRIES}?ledger_account=x&ledger_account=y"), 400, "parameter_invalid", "ledger_account")
    refused(client.get(f"{TRANSACTIONS}?ledger_account=x"), 400, "parameter_unknown")
    refused(client.get(f"{TRANSACTIONS}?payment_intent=pi_none"), 404, "resource_missing", "payment_intent")
    for name in ("", "x", f"{tea.account}/merchant_pending/eur", tea.account, "%00"):
        refused(client.get(f"{ENTRIES}?ledger_account={name}"), 404, "resource_missing", "ledger_account")
    usd, jpy = (f"{tea.account}/fees/{currency}" for currency in ("usd", "jpy"))
    [other] = tea.client.ledger.entries(jpy)["data"]
    for cursor in (other["id"], "", "x", ".", other["transaction"]):
        answer = client.get(ENTRIES, params={"ledger_account": usd, "starting_after": cursor})
        refused(answer, 400, "parameter_invalid", "starting_after")
    first, second = (one["id"] for one in tea.client.payment_intents.list(limit=2)["data"])
    [of_second] = tea.client.ledger.transactions(payment_intent=second)["data"]
    answer = client.get(TRANSACTIONS, params={"payment_intent": first, "ending_before": of_second["id"]})
    refused(answer, 400, "parameter_invalid", "ending_before")
    for path in (TRANSACTIONS, ACCOUNTS):
        refused(client.get(f"{path}?limit=0"), 400, "parameter_invalid", "limit")
        refused(client.get(f"{path}?starting_after=x"), 400, "parameter_invalid", "starting_after")


def test_another_merchants_books_are_not_there(cast: Cast, tea: Merchant) -> None:
    stranger = cast.merchant("Stranger")
    client = cast.signed(stranger)
    assert client.get(TRANSACTIONS).json()["data"] == client.get(ACCOUNTS).json()["data"] == []
    [name] = [one["id"] for one in tea.client.ledger.accounts(limit=1)["data"]]
    refused(client.get(ENTRIES, params={"ledger_account": name}), 404, "resource_missing", "ledger_account")
    posted = tea.client.ledger.transactions(limit=1)["data"][0]
    refused(client.get(TRANSACTIONS, params={"payment_intent": posted["payment_intent"]}), 404, "resource_missing")
    refused(client.get(TRANSACTIONS, params={"starting_after": posted["id"]}), 400, "parameter_invalid")
    refused(client.get(ACCOUNTS, params={"starting_after": name}), 400, "parameter_invalid")


def test_a_recount_beside_a_running_serve(stage: Stage, tea: Merchant) -> None:
    counted = shown("ledger", "verify", data=stage.data)
    assert counted["ok"] is True
    assert counted["transactions"] >= 4
    assert counted["postings"] >= 12
    assert "ok               yes" in paydesk("ledger", "verify", data=stage.data).stdout


def test_an_export_beside_a_running_serve(stage: Stage, tea: Merchant) -> None:
    done = paydesk("ledger", "export", "--account", tea.facts["merchant_id"], data=stage.data)
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(StringIO(done.stdout)))
    assert len(rows) == 12
    assert {row["account"] for row in rows} == {tea.account}
    assert sum(int(row["amount_minor"]) for row in rows if row["currency"] == "usd") == 0
    lines = paydesk("ledger", "export", "--account", tea.account, "--format", "jsonl", data=stage.data).stdout
    as_json = [json.loads(line) for line in lines.splitlines()]
    assert [{name: str(value) for name, value in row.items()} for row in as_json] == rows
    every = paydesk("ledger", "export", "--format", "jsonl", data=stage.data).stdout.splitlines()
    assert set(lines.splitlines()) <= set(every)


def test_an_export_of_nobody_says_so(stage: Stage) -> None:
    assert "merchant" in sentence("ledger", "export", "--account", "acct_none", data=stage.data)


def test_without_a_serve_and_with_a_row_that_is_off(stage: Stage, tea: Merchant, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with (
        closing(sqlite3.connect(f"{(stage.data / 'paydesk.db').as_uri()}?mode=ro", uri=True)) as running,
        closing(sqlite3.connect(data / "paydesk.db")) as copy,
    ):
        running.backup(copy)
    (data / "paydesk.db").chmod(0o600)
    copyfile(stage.folder / "data.key", tmp_path / "data.key")
    (tmp_path / "data.key").chmod(0o600)
    assert shown("ledger", "verify", data=data)["ok"] is True
    assert len(paydesk("ledger", "export", "--account", tea.account, data=data).stdout.splitlines()) == 13
    with closing(sqlite3.connect(data / "paydesk.db")) as copy:
        name = f"{tea.account}/merchant_pending/usd"
        copy.execute("UPDATE ledger_balances SET amount_minor = -1 WHERE ledger_account = ?", (name,))
        copy.commit()
    said = sentence("ledger", "verify", data=data)
    assert said == (
        f"The books are off. ledger_balances (account {tea.account}, ledger_account {name}): "
        "is -1; its postings sum to -12339."
    )
    done = paydesk("ledger", "verify", "--json", data=data)
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout) == {
        "ok": False,
        "table": "ledger_balances",
        "key": {"account": tea.account, "ledger_account": name},
        "why": "is -1; its postings sum to -12339",
    }


def test_where_there_are_no_books(tmp_path: Path) -> None:
    for command in ("verify", "export"):
        assert "There is no" in sentence("ledger", command, data=tmp_path / "none")
    assert not (tmp_path / "none").exists()
