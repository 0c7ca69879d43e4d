"""人民币大写: the capital form of an amount that Chinese bank forms carry beside the figures. Pure.

Source: 票据和结算凭证填写规定. The form prints 人民币 before it.
"""

from models.money import MAX_MINOR

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ((10**8, "亿"), (10**4, "万"), (1, ""))


def capitals(fen: int) -> str:
    """Return the amount in capitals: `伍拾万元整`, `壹拾万零壹元零壹分`; `ValueError` beyond 0 to 10^13 fen.

    One 零 for any run of zeros inside the figure; 零 between 元 and 分 where there is no 角; 整 where there is no 分.
    Where the rules leave a 零 free (before a full 仟 after zeros, before 角 after yuan that end in zero) there is none.
    """
    if type(fen) is not int or not 0 <= fen <= MAX_MINOR:
        raise ValueError(f"no amount in fen from 0 to {MAX_MINOR}: {fen!r}")
    yuan, cents = divmod(fen, 100)
    tenths, hundredths = divmod(cents, 10)
    text = _whole(yuan) + "元" if yuan or not cents else ""
    if tenths:
        text += _DIGITS[tenths] + "角"
    elif yuan and hundredths:
        text += "零"
    return text + (_DIGITS[hundredths] + "分" if hundredths else "整")


def _whole(yuan: int) -> str:
    """Return whole yuan: groups of four digits, a 零 where a group is skipped or begins with one."""
    text, is_gap = "", False
    for size, name in _GROUPS:
        group = yuan // size % 10**4
        if group:
            text += ("零" if text and (is_gap or group < 1000) else "") + _four(group) + name
        is_gap = bool(text) and not group
    return text or "零"


def _four(group: int) -> str:
    """Return up to four digits; zeros before the first digit and after the last are silent."""
    text, is_gap = "", False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if digit:
            text += ("零" if text and is_gap else "") + _DIGITS[digit] + _PLACES[place]
        is_gap = not digit
    return text
