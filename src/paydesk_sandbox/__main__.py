"""`python -m paydesk_sandbox`."""

from paydesk_sandbox.cli import main

main()
