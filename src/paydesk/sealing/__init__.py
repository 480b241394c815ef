"""Everything that hangs on the master key: sealed rows, client secrets, card fingerprints.

One key of 32 bytes (PAYDESK_MASTER_KEY, or a file that only we can read) lies outside the database and its backup. Each
purpose has a sub-key of its own, made by HKDF-SHA256 (RFC 5869) with info `paydesk/<purpose>/<version>`, so that what
leaks of one says nothing of another. What is sealed is under AES-256-GCM, bound to the row that it belongs to.

Called by merchants, vault, payments and events for what they keep, and by assembly when it starts.

Read: `sealer.py` (seal, open, derive), `master_key.py` (where the key comes from), `key_check.py` (is it the right
one).
"""
