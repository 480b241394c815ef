"""The short form of `make fuzz`: a part of the list, and a few made-up requests, on every route of a real server."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bad_input.asking import BY_NAME
from tests.bad_input.campaign import Plan, faults_in, run
from tests.bad_input.tally import CLASSES, Report, Tally
from tests.bad_input.wire import Wire

PING = "GET /v1/ping"


def test_every_route(tmp_path: Path) -> None:
    said: list[str] = []
    plan = Plan(seed=int(os.environ.get("PAYDESK_TEST_SEED", "7")), examples=5, seconds=10, every=7)
    report = run(tmp_path, plan, said.append)
    assert not report.violations, "\n".join(report.violations)
    assert all(report.rows[name]["4xx"] for name in BY_NAME)
    assert report.table.splitlines()[-1].split()[0] == "all"
    assert len(report.table.splitlines()) == len(BY_NAME) + 3


ANSWERS = {
    "5xx": b"HTTP/1.1 503 x\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}",
    "shape": b"HTTP/1.1 404 x\r\nContent-Length: 9\r\nContent-Type: text/plain\r\n\r\nNot found",
    "taken": b"HTTP/1.1 200 x\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}",
    "hang": b"",
}


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Answers one request with the bytes that the test names, or never."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100)
                connection.sendall(ANSWERS[request.param])
                if not ANSWERS[request.param]:
                    done.wait(5)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        thread.join()


@pytest.mark.parametrize("server", ANSWERS, indirect=True, ids=lambda kind: str(kind))
def test_what_must_not_be_is_seen(server: str, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.params["server"]
    counting = Tally()
    counting.take(PING, "a test", lambda: Wire(server, 0.3).ask(b"GET / HTTP/1.1\r\n\r\n"), refused=True)
    assert counting.rows[PING][kind] == 1
    assert counting.violations
    assert all(violation.startswith(f"{PING}: ") for violation in counting.violations)


def test_a_route_that_answers_nothing_well_was_not_reached() -> None:
    counting = Tally()
    assert counting.never_reached() == list(BY_NAME)
    counting.rows[PING]["2xx"] += 1
    assert PING not in counting.never_reached()


def test_a_fault_in_the_log_is_seen(tmp_path: Path) -> None:
    log = tmp_path / "log"
    fine, error = '{"level":"info","status":200}', '{"level":"error"}'
    log.write_text("\n".join([fine, error, '{"level":"info","status":503}', "Traceback"]))
    assert len(faults_in(log)) == 3


def test_the_table_is_aligned() -> None:
    lines = Report(rows=Tally().rows, violations=[]).table.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split()[2:] == list(CLASSES)
