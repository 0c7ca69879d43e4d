"""Writes the pages of `docs/` that follow from code. `make docs` writes them, `tests/house/test_docs.py` compares."""
