"""The store's exam. Any engine sits it through a `Sitter`; what one cannot do it declares, and the exam says so aloud.

Read `sitter.py` (who sits), `exam_rows.py` (rows and commands that mean nothing), `faults.py` (what may go wrong on
top of any engine), `opened.py` (a store at work), then the tests.
"""
