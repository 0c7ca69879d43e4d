"""Working days as this installation knows them: the notices, our own table on top, and what a change of it moves."""
