"""The `paydesk` command. Each command says what it does with --help, and prints JSON with --json where it prints data.

Read: `app.py`, `dead.py`, `notices.py`, `ledger.py`, `audit.py` and `keeping.py` (the commands), `asking.py` (a running
`serve` is asked), `output.py` (what a person and a script see), `demo/` (the whole way in one command).
"""


def main() -> None:
    """Run the command line; what goes wrong is a sentence and an exit status."""
    from paydesk.cli.app import run  # noqa: PLC0415 (so that importing the package stays cheap)

    run()
