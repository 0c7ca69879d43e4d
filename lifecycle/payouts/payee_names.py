"""Whether the holder of a bank account is the organisation that is to be paid: names and credit codes. Pure.

A name that only looks like another is how payments are led astray: what is equal after folding look-alikes, but not as
written, is an answer of its own and never taken for the same.
"""

import unicodedata
from enum import StrEnum

from lifecycle.errors import Unmet, unmet
from lifecycle.stages import credit_code


class NameMatch(StrEnum):
    """How two names compare."""

    SAME = "same"
    WIDTH_ONLY = "width_only"
    """The same characters in full and half width, other case, other blanks: as banks print them."""
    LOOKALIKE = "lookalike"
    """Equal to the eye alone: other script, look-alike or compatibility characters, invisible ones."""
    DIFFERENT = "different"


_LOOKALIKES = (
    # Latin letters, then what looks like them in Cyrillic, Greek and elsewhere; in lower case.
    *("aаαɑ", "bвβь", "cсϲ", "dԁ", "eеεҽ", "gɡ", "hнηһ", "jј", "kкκ", "liіιı1|ӏ", "mмμ", "nνп", "oоο0", "pрρ"),
    *("qԛ", "sѕ5", "tтτ", "uυ", "wԝω", "xхχ", "yуүγ", "zζ2"),
    # Chinese characters that differ by one short stroke, and kana that look like them.
    *("己已巳", "未末", "日曰", "土士", "工エ", "口囗ロ", "二ニ", "八ハ", "力カ", "夕タ", "卜ト", "千干于", "人入"),
    *("天夭", "戊戌戍", "冶治", "侯候", "晴睛", "崇祟", "折拆", "券卷", "茶荼", "汨汩", "徒徙", "毫亳", "刺剌", "微徽"),
    *("密蜜", "杨扬", "栗粟", "田由甲申", "目且", "鸟乌", "免兔", "历厉", "仓仑", "辩辨辫", "博搏", "贝见", "玉王"),
    # Strokes and dots.
    *("一ー-‐‑‒–—―─−", "·•・‧∙⋅.。"),
)
_FOLDED = {ord(other): group[0] for group in _LOOKALIKES for other in group[1:]}
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me", "Zs", "Zl", "Zp"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Blank, although Unicode calls them letters and symbols."""


def plain(name: str) -> str:
    """Return the name without differences of width, case and blanks: what two honest spellings share."""
    return credit_code.half_width(unicodedata.normalize("NFC", name)).lower()


def skeleton(name: str) -> str:
    """Return what the eye sees of a name; only for comparing, never for showing.

    Compatibility forms are resolved (NFKC), invisible characters and marks removed, look-alikes folded to one of them.
    """
    resolved = unicodedata.normalize("NFKD", plain(unicodedata.normalize("NFKC", name)))
    seen = (one for one in resolved if unicodedata.category(one) not in _INVISIBLE and one not in _FILLERS)
    return "".join(seen).translate(_FOLDED)


def name_match(holder: str, organisation: str) -> NameMatch:
    """Return how the name of an account's holder compares with the organisation's; an empty one matches nothing."""
    if not skeleton(holder) or not skeleton(organisation):
        return NameMatch.DIFFERENT
    if holder == organisation:
        return NameMatch.SAME
    if plain(holder) == plain(organisation):
        return NameMatch.WIDTH_ONLY
    return NameMatch.LOOKALIKE if skeleton(holder) == skeleton(organisation) else NameMatch.DIFFERENT


def payee_reasons(
    *, holder: str, organisation: str, holder_code: str | None, organisation_code: str | None
) -> tuple[Unmet, ...]:
    """Return why this account is not the organisation's: its name, its credit code (safety rules, approvals).

    Another width is no reason (`name_match` says it, for a warning). A code is compared where both are known.
    """
    reasons = []
    match = name_match(holder, organisation)
    if match is NameMatch.LOOKALIKE:
        reasons.append(unmet("payee_name_lookalike", holder=holder, organisation_name=organisation))
    if match is NameMatch.DIFFERENT:
        reasons.append(unmet("payee_name_differs", holder=holder, organisation_name=organisation))
    if holder_code and credit_code.problem(holder_code):
        reasons.append(unmet("credit_code_wrong", value=holder_code))
    elif holder_code and organisation_code:
        given, known = credit_code.normalise(holder_code), credit_code.normalise(organisation_code)
        if given != known:
            reasons.append(unmet("payee_code_differs", given=given, known=known))
    return tuple(reasons)
