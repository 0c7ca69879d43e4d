"""What makes a new password too weak: its length, and how few guesses it takes. A list of leaked ones ships with us."""

import re
import threading

from zxcvbn import zxcvbn

from lifecycle.errors import Unmet, unmet
from models.limits import LONGEST_PASSWORD, SHORTEST_PASSWORD


def weaknesses(password: str, *known: str) -> tuple[Unmet, ...]:
    """Return why a new password is not taken: length, or how near it is to what everybody or `known` words have.

    `known` are login, mail address, name and organisation of whose it is. Neither composition rules nor expiry (NIST
    SP 800-63B 3.1.1.2): length and not being guessable are what counts (OWASP ASVS 5.0: 6.2.1, 6.2.4, 6.2.11, 6.2.12).
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return (unmet("password_length", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD),)
    own = _words(known)
    if _left(password, own) or _is_soon_guessed(password, own):
        return (unmet("password_guessable"),)
    return ()


EVERYBODYS = (
    *("pilotway", "zhongshitong", "中试通", "中试", "password", "passw0rd", "密码", "mima", "admin", "administrator"),
    *("welcome", "letmein", "iloveyou", "woaini", "wojiushiwo", "zhongguo", "china", "shenzhen", "5201314", "1314520"),
    *("qwertyuiop", "asdfghjkl", "1qaz2wsx", "1234567890", "123456789", "12345678", "123456", "888888", "666666"),
    *("abcdef", "a123456"),
)
"""Words of this place, and what people here choose, besides the 30,000 of the library's list of leaked passwords."""
_LEAST_LEFT, _DIFFERENT = 8, 5
"""Characters, and different ones, that are left at least once known words are taken out."""
_GOOD = 3
"""Of the scale of zxcvbn 0-4: more than 10^8 guesses (Wheeler, USENIX Security 2016, section 5.1)."""
_LOOKED_AT = 28
"""Characters that are looked at, so that none takes longer than a second; the rest only makes it harder to guess."""
_ONE_AT_A_TIME = threading.Lock()
"""The library keeps the words of who asks in one place for all."""


def _words(known: tuple[str, ...]) -> list[str]:
    parts = {part for text in known for part in (text, *re.split(r"[\W_]+", text))}
    return sorted({word.casefold() for word in (*parts, *EVERYBODYS) if _is_word(word)}, key=len, reverse=True)


def _is_word(text: str) -> bool:
    """Say whether taking it out says anything: two Latin letters stand in everything, two Chinese ones are a name."""
    return len(text) > 2 or (len(text) == 2 and not text.isascii())


def _left(password: str, words: list[str]) -> bool:
    """Say whether too little is left once the words are taken out, longest first."""
    rest = password.casefold()
    for word in words:
        rest = rest.replace(word, "")
    return len(rest) < min(_LEAST_LEFT, len(password)) or len(set(rest)) < _DIFFERENT


def _is_soon_guessed(password: str, words: list[str]) -> bool:
    with _ONE_AT_A_TIME:
        found = zxcvbn(password[:_LOOKED_AT], words)
    return int(found["score"]) < _GOOD
