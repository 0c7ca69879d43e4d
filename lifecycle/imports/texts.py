"""What text may come in: normalised, visible, within its length. Everything changed is told as a notice."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lifecycle.imports.problems import ValueProblem

SHORT, LONG = 200, 10_000
"""Characters of a one-line and of a long text (limits table)."""

LineBreaks: TypeAlias = Literal["refuse", "space", "remove"]
Invisible: TypeAlias = Literal["refuse", "remove"]

SPACES = " \t\r\n\u3000\u00a0"
_LINE_BREAK = re.compile(r"[ \t]*(?:\r\n|[\r\n\u2028\u2029])[ \t]*")
_ZERO_WIDTH = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab and line breaks
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction
    "\u00ad\u180e\u200b-\u200d\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # unseen
    "\ud800-\udfff\ufdd0-\ufdef\ufffd-\uffff\ue000-\uf8ff\U000f0000-\U0010ffff]"  # no characters, damaged, private
)
_STACKED = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{5}")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something was changed or looks odd, but the row is good."""

    column: str
    code: str


def one_line(text: str, *, line_breaks: LineBreaks = "refuse", limit: int = SHORT) -> tuple[str, tuple[str, ...]]:
    """Return a one-line text, NFC-normalised, and the codes of what was changed; `ValueProblem` when it may not in."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text, ()
    codes: list[str] = []
    if "\n" in text or "\r" in text or "\u2028" in text or "\u2029" in text:
        if line_breaks == "refuse":
            raise ValueProblem("text_line_break", "one line")
        text = _LINE_BREAK.sub(" " if line_breaks == "space" else "", text)
        codes.append("line_break_removed")
    if "\t" in text:
        raise ValueProblem("text_character", "visible characters", character="U+0009", place=text.index("\t") + 1)
    return _checked(text, limit, codes), tuple(codes)


def many_lines(text: str, *, invisible: Invisible = "refuse", limit: int = LONG) -> tuple[str, tuple[str, ...]]:
    """Return a text of several lines (each ended by a line feed), as `one_line` does."""
    codes: list[str] = []
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    if invisible == "remove" and _ZERO_WIDTH.search(plain):
        plain = _ZERO_WIDTH.sub("", plain)
        codes.append("invisible_removed")
    return _checked(plain, limit, codes), tuple(codes)


def _checked(text: str, limit: int, codes: list[str]) -> str:
    """Return the text in NFC, noting when that changed it; refuse what cannot be seen or is too long."""
    if not text.isascii():
        normal = unicodedata.normalize("NFC", text)
        if normal != text:
            codes.append("text_normalised")
            text = normal
        if _STACKED.search(text):
            raise ValueProblem("text_combining", "combining marks < 5")
    found = _FORBIDDEN.search(text)
    if found is not None:
        character = f"U+{ord(found.group()):04X}"
        raise ValueProblem("text_character", "visible characters", character=character, place=found.start() + 1)
    if len(text) > limit:
        raise ValueProblem("text_too_long", f"text <= {limit}", limit=limit, found=len(text))
    return text
