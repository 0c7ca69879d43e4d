"""The ledger: which accounts a fund has, and the entries that move money between them."""
