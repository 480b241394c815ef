"""The rules of the house as tests: what a reviewer would otherwise have to remember.

`tree.py` says which files are the project's. Then `test_tools.py` (lint, format, types, import contracts),
`test_size.py` (files and functions that can be read), `test_errors.py` (the one table of codes), `test_texts.py`
(nothing of one machine in any file), `test_locks.py`, `test_wheel.py`, `test_commands.py` (make, README, CI),
`test_set_up.py` and `test_loopback.py`.
"""
