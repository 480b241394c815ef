"""What every signed request passes before anything is decided: who sent it, and whether it was here before.

Called by `web/`, which hands in the bytes as they came and turns a Refusal into an answer. The scheme is PD1: nine
lines and an HMAC over them; its vectors, the refused ones among them, are published as `webhooks/signatures.json`.

Read: `signature.py` (syntax, the string that is signed, does it hold); it is pure and knows neither keys nor clock.
Then `once.py` (nonce, idempotency key and the log of who did what, in the commit of the effect) and `floor.py`.
"""
