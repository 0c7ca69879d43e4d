"""The part of a command that needs the database: imported when the command runs, so that `--help` answers at once."""
