"""The door: bytes in, bytes out. Handlers read, call and render; errors become answers in one table.

Read: `bodies.py` (JSON as strict as money wants it), `field_errors.py` (which field is wrong, in our words),
`card_numbers.py` (what no text field may hold).
"""
