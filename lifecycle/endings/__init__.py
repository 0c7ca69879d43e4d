"""How money ends: with a project that ends before its time, with the final settlement, and with what is owed back."""
