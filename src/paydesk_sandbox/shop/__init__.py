"""A demo merchant: a product page, a pay page with Paydesk's frame in it, a webhook receiver, and books of its own.

It uses `paydesk_client` as any merchant would, and knows nothing else of Paydesk. A person starts it to see a
payment; tests and the benchmark order over JSON and read `/books` to learn what the shop believes and when it heard
it.

Read: `catalogue.py` (what is sold), `orders.py` (orders and what webhooks do to them), `server.py` (the routes),
`pages.py` (HTML and its policy).
"""
