"""The world outside Paydesk: the PSP's rules in memory, both processes over real HTTP, the shop's page in a browser.

`processes.py` starts a sandbox process and says what it wrote; `asking.py` are a merchant's requests to the PSP;
`fake_paydesk.py` is what the shop talks to here.
"""
