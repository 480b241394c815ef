"""What must be refused, and how: each bad input of the protocol with its answer, and all of it on every route.

`make fuzz` does the latter at length, `make test` in short. Read: `wire.py` (requests byte by byte), `inputs.py` (the
list), `furnished.py` (a merchant that has everything), `asking.py` (a request to any route), `listed.py` and
`generated.py` (what is asked), `tally.py` (what came back), `campaign.py` (the run).
"""
