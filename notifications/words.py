"""Every sentence for a code and every word for a state, role or verb, in zh-CN and en: what page, CLI and mail say.

The catalogue is `locale/*.yaml`, flat: `code: {zh: …, en: …}`. A key `kind.word` is the title of a stored word; any
other key is the sentence of a code, with `str.format` placeholders for the values that came with it. `en_one` beside
`en` is what English says where `{count}` is one; Chinese counts without another form.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal, TypeAlias

from lifecycle.errors import Unmet
from models.money import Money

Lang: TypeAlias = Literal["zh-CN", "en"]
Names: TypeAlias = Mapping[str, str]
"""Titles that the catalogue cannot know, by id: evidence types, for example, belong to the project's standard."""

LANGUAGES: tuple[Lang, ...] = ("zh-CN", "en")
LOCALE = Path(__file__).parent / "locale"

KIND_OF_VALUE: Mapping[str, str] = {
    "role": "role",
    "roles": "role",
    "needs": "role",
    "party": "party",
    "parties": "party",
    "state": "state",
    "stage": "state",
    "stages": "state",
    "target": "state",
    "verb": "verb",
    "outcome": "outcome",
    "outcomes": "outcome",
    "verification": "verification",
    "verifications": "verification",
    "of": "verification",
    "competence": "competence",
    "competences": "competence",
    "verdict": "verdict",
    "scale": "scale",
    "kind": "kind",
    "reason": "reason",
    "field": "field",
    "said": "said",
    "conflict": "conflict",
    "wanted": "wanted",
    "threads": "thread",
    "threads_missing": "thread",
    "below": "thread",
    "without_evidence": "thread",
    "possible": "way_out",
    "table_field": "table_field",
    "proposed": "outcome",
    "voted": "outcome",
    "asked": "verification",
    "failed": "verification",
    "absent": "verification",
    "unsigned": "verification",
    "sweep": "sweep",
}
"""A value of one of these names is a stored word: the sentence shows its title."""

_KEY: Mapping[Lang, str] = {"zh-CN": "zh", "en": "en"}
_LIST: Mapping[Lang, str] = {"zh-CN": "、", "en": ", "}
_NOTHING = re.compile(
    r"[；;] *[^；;.。：:]*[：:] ?–(?=[；;.。])"  # behind another part
    r"|(?<=[.。]) *[^；;.。：:]*[：:] ?–[；;.。]"  # at the begin of a further sentence
    r"|^[^；;.。：:]*[：:] ?–[；;] *"  # at the begin of all
)
"""A part of a sentence that names nothing (`; still open: –`): it is left out."""
_NOT_POSSIBLE = re.compile(r"(?P<verb>[a-z_]+)_not_possible_when_(?P<state>[a-z_]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One reason why not, in words: what stands in the way, who owes the next step, until when, what would suffice."""

    code: str
    clause: str = ""
    ref: str = ""
    """What a person named and nobody found."""
    verdict: str = ""
    what: str
    owed_by: str = ""
    until: str = ""
    suffices: str = ""


def sentence(code: str, values: Mapping[str, Any], lang: Lang, names: Names | None = None) -> str:
    """Return the sentence of a code; the code itself where the catalogue has none, `[name]` for a missing value."""
    known = names or {}
    form = _catalogue()[lang].get(code)
    if lang == "en" and str(values.get("count")) == "1":
        form = _ones().get(code, form)
    if form is not None:
        currency = str(values.get("currency") or "CNY")
        return _NOTHING.sub("", _Sentence(lang, known, currency).vformat(form, (), values))
    arrow = _NOT_POSSIBLE.fullmatch(code)
    if arrow is not None:
        return sentence("not_possible_when", arrow.groupdict(), lang)
    return code


def title(kind: str, value: str, lang: Lang) -> str:
    """Return the word that people see for a stored word (`title("role", "payer", "en")`), else the word itself."""
    return _catalogue()[lang].get(f"{kind}.{value}", value)


def verb_title(permission: str, lang: Lang) -> str:
    """Return the words of a verb (`project.advance`): its own, else those of its short name."""
    whole = title("verb", permission, lang)
    return title("verb", permission.rpartition(".")[2], lang) if whole == permission else whole


def deed_title(permission: str, lang: Lang) -> str:
    """Return the words of a verb for what somebody has done: its first word in the past, where a language has one."""
    said = verb_title(permission, lang)
    if lang != "en":
        return said
    verb, *rest = said.split(" ")
    return " ".join((_past(verb), *rest))


IRREGULAR: Mapping[str, str] = {
    **{one: one for one in ("let", "put", "reset", "set")},
    "choose": "chose",
    "come": "came",
    "find": "found",
    "forget": "forgot",
    "give": "gave",
    "make": "made",
    "send": "sent",
    "take": "took",
    "withdraw": "withdrew",
    "write": "wrote",
    **{one: f"{one}{one[-1]}ed" for one in ("drop", "plan", "stop", "submit", "transfer")},
}


def _past(verb: str) -> str:
    if verb in IRREGULAR:
        return IRREGULAR[verb]
    if verb.endswith("e"):
        return f"{verb}d"
    return f"{verb[:-1]}ied" if verb.endswith("y") and verb[-2] not in "aeiou" else f"{verb}ed"


def is_known(code: str) -> bool:
    """Say whether the catalogue has words for this code."""
    return code in _catalogue()["en"]


def explain_unmet(unmet: Unmet, lang: Lang, names: Names | None = None) -> Explanation:
    """Return what a reason says, who owes the next step (party, role, people), until when, and what would suffice."""
    owed_by = [
        title("party", unmet.party, lang) if unmet.party else "",
        title("role", unmet.role, lang) if unmet.role else "",
    ]
    others = sentence("other_than", {"people": unmet.but_not}, lang) if unmet.but_not else ""
    return Explanation(
        code=unmet.code,
        clause=unmet.clause or "",
        ref=str(unmet.values.get("ref", "")),
        verdict=title("verdict", unmet.verdict, lang) if unmet.verdict else "",
        what=sentence(str(unmet.values.get("verdict_code", unmet.code)), unmet.values, lang, names),
        owed_by=" ".join(filter(None, [*owed_by, _LIST[lang].join(unmet.people), others])),
        until=unmet.due_on.isoformat() if unmet.due_on else "",
        suffices=sentence(unmet.suffices, unmet.values, lang, names) if unmet.suffices else "",
    )


def placeholders(form: str) -> frozenset[str]:
    """Return the names of the values that a sentence asks for."""
    found = (name for _, name, _, _ in Formatter().parse(form) if name)
    return frozenset(re.split(r"[.\[]", name)[0] for name in found)


def entries() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield (file, code, {zh, en, en_one?}) for the catalogue as it is written; what stands twice comes twice."""
    import yaml  # noqa: PLC0415 - `pilotway --help` says nothing of the catalogue and must not wait for its reader

    # The C parser reads the catalogue in a tenth of the time; both build plain values only.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(LOCALE.glob("*.yaml")):
        for code, texts in (yaml.load(path.read_text(encoding="utf-8"), loader) or {}).items():  # noqa: S506
            yield path.name, code, texts


def known_codes() -> Iterator[str]:
    """Yield every code of the catalogue once, from what was read of it already."""
    yield from _catalogue()["en"]


@cache
def _catalogue() -> Mapping[Lang, Mapping[str, str]]:
    found = list(entries())
    return {lang: {code: texts[_KEY[lang]] for _, code, texts in found} for lang in LANGUAGES}


@cache
def _ones() -> Mapping[str, str]:
    return {code: texts["en_one"] for _, code, texts in entries() if "en_one" in texts}


class _Sentence(Formatter):
    """`str.format` that never fails while a person waits: a missing value shows its name in brackets."""

    def __init__(self, lang: Lang, names: Names, currency: str) -> None:
        self.lang, self.names, self.currency = lang, names, currency

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        """Return the value as it is to be shown, by the name of its placeholder."""
        try:
            value, used = super().get_field(field_name, args, kwargs)
        except (KeyError, IndexError, AttributeError, TypeError):
            return f"[{field_name}]", field_name
        return self._shown(KIND_OF_VALUE.get(field_name), value), str(used)

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return the text of a value; a specification that does not fit is left aside.

        `{limit:money}` is an amount in minor units, `{limit:share}` a share in basis points: people read neither.
        """
        try:
            if format_spec == "money":
                return Money(int(value), self.currency).display
            if format_spec == "share":
                return f"{int(value) / 100:g}%"
            return str(super().format_field(value, format_spec))
        except (ValueError, TypeError):  # also of a currency that nobody takes in
            return str(value)

    def _shown(self, kind: str | None, value: Any) -> Any:
        if value is None:
            return "–"
        if isinstance(value, str):
            return self.names.get(value) or (title(kind, value, self.lang) if kind else value)
        if isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return _Float(value)
        if isinstance(value, Mapping):
            return self._listed(
                value.items(), lambda pair: f"{self._shown(kind, pair[0])} {self._shown(kind, pair[1])}"
            )
        if isinstance(value, Iterable):
            return self._listed(value, lambda one: str(self._shown(kind, one)))
        return value

    def _listed(self, values: Iterable[Any], shown: Callable[[Any], str]) -> str:
        return _LIST[self.lang].join(map(shown, values)) or "–"


class _Float(float):
    """A number that nobody gave a form: four digits are enough to read."""

    def __format__(self, format_spec: str) -> str:
        if format_spec:
            return super().__format__(format_spec)
        return f"{self:,.0f}" if abs(self) >= 10_000 else f"{self:.4g}"

    __str__ = __repr__ = lambda self: format(self, "")
