"""The limits of safety rule 10 that belong to no setting: nothing is unlimited, and each limit is named once."""

from datetime import timedelta

SHORT_TEXT = 200
"""Characters of a name or a one-line text."""
TITLE = 500
"""Characters of a project's title."""
FIRST_YEAR = 1900
"""Years before are slips of the keyboard, not projects [design]."""
LONG_TEXT = 10_000
"""Characters of a reason or a description."""
OUTSIDE_KEY = 300
"""Characters of a key in another register, with the name of the register."""
WHOLE_SHARE = 10_000
"""A whole, in basis points."""
TIED_FROM = 2_500
"""Share of ownership in basis points from which a customer is not independent (G4.2)."""
INSTRUCTIONS_PER_BATCH = 500
"""Payments in one payment file."""

SESSION_LASTS = timedelta(hours=8)
SESSION_IDLE = timedelta(minutes=30)
STEP_UP_LASTS = timedelta(minutes=5)
SIGN_IN_TRIES = 10
"""Wrong tries within the window, per account and place and per place."""
SIGN_IN_WINDOW = timedelta(minutes=5)
LONGEST_TOKEN = timedelta(days=366)
TOKEN_PER_MINUTE = 600
"""Requests of one API token in the long run, per process of the console."""
TOKEN_AT_ONCE = 120
"""Requests of one API token right after each other."""
SESSION_PER_MINUTE = 3_000
"""Requests of one session in the long run, per process of the console: no hand is as fast."""
SESSION_AT_ONCE = 1_000
TEMPORARY_PASSWORD_LASTS = timedelta(days=3)
"""How long a password opens an account that somebody else set and its owner has not changed."""
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
SECOND_FACTOR_TRIES = (
    (timedelta(minutes=5), 5),
    (timedelta(hours=1), 20),
    (timedelta(days=1), 50),
)
"""Wrong codes and keys of one account within each of these: a million codes are not to be tried out."""
CHALLENGE_LASTS = timedelta(minutes=5)
RECOVERY_CODES = 10
PASSKEYS = 10
"""Of one account."""

INVITATION_LASTS = timedelta(days=7)
UPLOAD_DAY = timedelta(hours=24)
HOUSE_BRINGS = 5
"""Times what one person may bring in a day, everybody of one organisation together."""
LINK_LASTS = timedelta(minutes=15)
"""Of a link to one's own page."""
OPEN_LINKS = 3
"""Links to one's own page that hold at a time: who asks for more finds those in the mailbox."""
OUTSIDE_SIGN_IN_LASTS = timedelta(minutes=10)
"""How long somebody may take at the identity provider."""
