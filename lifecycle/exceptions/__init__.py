"""Cases that wait for two people: one proposes a way out with evidence, another confirms it, and it is done at once."""
