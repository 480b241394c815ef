"""`paydesk audit`, with a running `serve` and without one."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.journeys.cast import Cast
from tests.journeys.test_commands import create, paydesk, sentence, shown
from tests.stage.stage import Stage


def test_who_did_what_is_listed_and_holds(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open(idempotency_key="order-1")
    entries = shown("audit", "list", "--account", tea.facts["merchant_id"], data=stage.data)
    assert [(entry["number"], entry["actor"], entry["action"], entry["object"]) for entry in entries] == [
        (1, "operator", "merchants create", tea.account),
        (2, f"key:{tea.facts['key_id']}", "POST /v1/payment_intents", intent["id"]),
    ]
    found = shown("audit", "verify", data=stage.data)
    assert (found["holds"], found["off"]) == (True, [])
    assert found["heads"][tea.account] == f"2:{entries[-1]['hash']}"


def test_a_log_that_was_changed_is_said_and_is_an_error(tmp_path: Path) -> None:
    data = tmp_path / "shop"
    facts = shown(*create("Tea House"), data=data)
    assert "yes" in paydesk("audit", "verify", data=data).stdout
    with closing(sqlite3.connect(data / "paydesk.db")) as database:
        guard = database.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_entries_no_update'").fetchone()[0]
        database.execute("DROP TRIGGER audit_entries_no_update")
        database.execute("UPDATE audit_entries SET actor = 'somebody'")
        database.execute(guard)
        database.commit()
    done = paydesk("audit", "verify", data=data)
    assert (done.returncode, "line 1" in done.stdout, facts["account_id"] in done.stdout) == (1, True, True)
    assert "does not hold" in done.stderr
    as_json = paydesk("audit", "verify", "--json", data=data)
    (off,) = json.loads(as_json.stdout)["off"]
    assert (as_json.returncode, off["account"], off["number"]) == (1, facts["account_id"], 1)


def test_a_file_is_verified_that_no_start_would_open(tmp_path: Path) -> None:
    data = tmp_path / "shop"
    shown(*create("Tea House"), data=data)
    file = str(data / "paydesk.db")
    with closing(sqlite3.connect(file)) as database:
        database.execute("DROP TRIGGER audit_entries_no_delete")
        database.commit()
    assert "audit verify --file" in sentence("audit", "verify", data=data)
    assert shown("audit", "verify", "--file", file)["holds"] is True
    with closing(sqlite3.connect(file)) as database:
        database.execute("DELETE FROM audit_entries")
        database.commit()
    assert paydesk("audit", "verify", "--file", file).returncode == 1
    for wrong in (tmp_path / "none.db", tmp_path / "shop.key"):
        assert "can't be read" in sentence("audit", "verify", "--file", str(wrong))


def test_what_can_not_be_listed(stage: Stage) -> None:
    assert "--limit" in sentence("audit", "list", "--limit", "0", data=stage.data)
    assert "--account" in sentence("audit", "list", "--after", "3", data=stage.data)
