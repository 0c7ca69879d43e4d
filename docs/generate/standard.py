"""`docs/standard.md` and its Chinese twin: what the default pack asks, gate by gate, and where thresholds stand."""

import functools
from collections.abc import Iterator, Mapping

from docs.generate.markdown import code, link, link_to, page, table
from docs.generate.words import Words
from lifecycle.stages.rules import RULES
from lifecycle.standards import library
from lifecycle.standards.funds import FundRules, Tier
from lifecycle.standards.pack import Criterion, EvidenceType, FormField, Judge, Pack, Panel, Stage
from lifecycle.standards.parties import hands_in
from models.money import Money
from models.states import Role
from notifications.words import Lang

_FOLDER = library.PACKS / "default-2026.1"
_INTRO = {
    "en": """A project keeps the standard with which it was enrolled. A criterion is *computed* from records, *accepted*
or *decided* by a named role; all that it names must hold. Strength: *hard* holds always; *conditional* may be left open
under a conditional go; *waivable* may be waived. Thresholds stand in the pack's files and nowhere else: the link in the
column “Where it stands” leads to the line. How to change one: [lifecycle/README.md](../lifecycle/README.md).""",
    "zh-CN": """项目始终适用其受理时冻结的标准。
每项要求由记录*计算*得出，或由指定角色*接受*、*决定*；所列各项须全部满足。
强度：*硬性*始终适用；*可附条件*可在有条件通过时暂缺；*可豁免*可以豁免。门槛值只写在标准包文件中，“所在文件”一列的链接指向该行。
如何修改：[lifecycle/README.md](../lifecycle/README.md)。""",
}


def standard(lang: Lang) -> str:
    """Return the page in one of the two languages."""
    say, pack = Words(lang), library.default()
    head = f"# {say.text(pack.title)}\n\n`{pack.code}@{pack.version}`. {_INTRO[lang]}"
    return page(head, *_whole_pack(say, pack), *(part for stage in pack.stages for part in _stage(say, pack, stage)))


def _whole_pack(say: Words, pack: Pack) -> Iterator[str]:
    where = link("`pack.yaml`", _FOLDER / "pack.yaml")
    yield f"## {say('limits')}"
    yield table((say("limit"), say("value")), ((code(name), str(value)) for name, value in pack.limits))
    yield f"{say('threshold')}: {where}. {say('verifications')}: {say.titled('verification', *pack.verifications)}."
    yield from _funds(say, pack)
    yield f"## {say('profiles')}"
    yield table((say("profile"), say("value")), ((code(name), code(*known)) for name, known in pack.profiles.items()))


def _funds(say: Words, pack: Pack) -> Iterator[str]:
    rules = pack.funds
    yield f"## {say('funds')}\n\n{say('threshold')}: {link('`funds.yaml`', _FOLDER / 'funds.yaml')}."
    numbers = (name for name in type(rules).model_fields if name not in {"tranches", "tiers"})
    yield table((say("rule"), "", say("value")), ((code(one), say(one), _number(say, rules, one)) for one in numbers))
    yield table(
        (say("tranche"), say("share"), say("released_by"), say("also_needs")),
        (
            (
                f"**{one.code}** {say.text(one.title)}",
                _percent(one.share_basis_points),
                f"{one.gate} {say.titled('outcome', 'go')}" if one.gate else ", ".join(one.criteria),
                say.comma.join(say(need) for need in one.needs),
            )
            for one in rules.tranches
        ),
    )
    yield table((say("tier"), say("approvals"), say("also_needs")), (_tier(say, rules, one) for one in rules.tiers))


def _number(say: Words, rules: FundRules, name: str) -> str:
    value = getattr(rules, name)
    if isinstance(value, bool):
        return say("yes" if value else "no")
    return _percent(value) if name.endswith("_basis_points") else str(value)


def _percent(basis_points: int) -> str:
    return f"{basis_points / 100:g} %"


def _tier(say: Words, rules: FundRules, one: Tier) -> tuple[str, ...]:
    limit = "–" if one.up_to_minor is None else Money(one.up_to_minor, rules.currency).display
    asked = ["amount_typed_again"] * (one.needed > 1) + ["director"] * (one.needed > 2) + ["minute"] * one.needs_minute
    return limit, str(one.needed), say.comma.join(map(say, asked))


def _stage(say: Words, pack: Pack, stage: Stage) -> Iterator[str]:
    yield f"## {stage.gate} {say.text(stage.title)}"
    yield table(("", ""), _about(say, stage))
    yield table(
        (say("clause"), say("what"), say("how"), say("strength"), say("owed_by"), say("due")),
        (_asked(say, one) for one in stage.criteria),
    )
    yield table(
        (
            say("clause"),
            say("evidence"),
            say("judges"),
            say("rule"),
            say("parameters"),
            say("threshold"),
            say("origin"),
        ),
        (_computed(say, stage, one) for one in stage.criteria),
    )
    if stage.score.factors:
        rule = say("score_rule", total=f"{stage.score.pass_total:g}", floor=f"{stage.score.floor_per_factor:g}")
        yield f"### {stage.gate} {say('score')}\n\n{rule}"
        factors = ((say.text(one.title), str(one.weight)) for one in stage.score.factors)
        yield table((say("factor"), say("weight")), factors)
    yield f"### {stage.gate} {say('evidence_types')}"
    yield table(
        (say("type"), say("family"), say("hands_in"), say("valid"), say("fields")),
        (_evidence(say, stage, one, hands_in(pack, one)) for one in pack.evidence_types if one.gate == stage.gate),
    )


def _about(say: Words, stage: Stage) -> Iterator[tuple[str, str]]:
    most = f"{say('most')} {say.span(stage.maximum_days, stage.maximum_unit)}"
    yield say("length"), f"{say.span(stage.default_days, stage.default_unit)}; {most}"
    yield say("panel"), _panel(say, stage.panel)
    yield say("outcomes"), say.titled("outcome", *stage.outcomes)
    if stage.notice:
        yield say("notice"), say.span(stage.notice.days, stage.notice.unit)
    completion = f"{stage.completion_rounds} {say('rounds')}; {say.span(stage.completion_days, 'working_days')}"
    yield say("completion"), completion
    if stage.entry:
        yield say("entry"), code(*stage.entry)
    yield say("entry_maturity"), "TRL {}, MRL {}".format(*stage.entry_maturity)
    if stage.run_limits:
        yield say("run_limits"), code(stage.run_limits.form)


def _panel(say: Words, panel: Panel) -> str:
    if panel.kind != "panel":
        return say(panel.kind)
    share = "{}/{}".format(*panel.quorum_share)
    parts = [
        f"{panel.minimum_members}–{panel.maximum_members} {say('members')}; {say('quorum')} {share}",
        say.titled("competence", *panel.competences),
    ]
    if panel.extra_roles:
        parts.append(f"{say('sits')}: {say.titled('role', *panel.extra_roles)}")
    return "; ".join(parts)


def _asked(say: Words, one: Criterion) -> tuple[str, ...]:
    needs = f"\n{say('carries')}: {code(*one.condition_needs)}" if one.condition_needs else ""
    follows = f"\n{say('follow_notice')}" if one.follow_notice else ""
    after = f"\n{say('after')}: {', '.join(one.after)}" if one.after else ""
    return (
        one.id,
        f"**{say.text(one.title)}**\n{say.text(one.text)}{needs}{follows}{after}",
        say.titled("how", *one.how),
        say.titled("strength", one.strength),
        "\n".join(f"{say.titled('party', owes.party)} {say.titled('role', owes.role)}" for owes in one.owed_by),
        f"{say(one.due.anchor)} {one.due.days:+d} {say(one.due.unit)}" if one.due.days else say(one.due.anchor),
    )


def _computed(say: Words, stage: Stage, one: Criterion) -> tuple[str, ...]:
    also = f"{say('supporting')}: {code(*one.supporting)}" if one.supporting else ""
    return (
        one.id,
        "\n".join(filter(None, [code(*one.evidence), also])),
        "\n".join(_judge(say, judge) for judge in one.judges),
        link_to(RULES[one.rule]) if one.rule else "",
        "\n".join(f"`{name}`: {_value(value)}" for name, value in one.parameters.items()),
        _place(stage, one.id),
        one.origin,
    )


def _judge(say: Words, judge: Judge) -> str:
    who = [say.titled("competence", judge.competence)] if judge.competence else []
    part = f" ({code(judge.part)})" if judge.part else ""
    return " ".join([say(f"{judge.kind}_by"), *who, say.titled("role", judge.role)]) + part


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _place(stage: Stage, ident: str) -> str:
    """Lead to the numbers of a criterion, or to where it begins when it has none."""
    path, place = _FOLDER / f"{stage.id}.yaml", f"{stage.id}/criteria/{ident}"
    return link(f"`{path.name}`", path, _line(f"{place}/parameters") or _line(place))


def _line(place: str) -> int | None:
    """Return the line of its file on which this part of the pack stands."""
    _, _, line = _lines().get(place, "").partition(":")
    return int(line) if line else None


@functools.cache
def _lines() -> Mapping[str, str]:
    return library.lines(_FOLDER)


def _evidence(say: Words, stage: Stage, one: EvidenceType, roles: frozenset[Role]) -> tuple[str, ...]:
    line = _line(f"evidence_types/{one.id}")
    about = [f"**{say.text(one.title)}**", link(code(one.id), _FOLDER / f"{stage.id}.yaml", line)]
    about += [f"{say('per')} {code(one.key_field)}"] if one.several and one.key_field else []
    about += [say("revision")] if one.only_for_revision else []
    valid = [f"{one.valid_months} {say('months')}"] if one.valid_months else []
    valid += [f"{say('until_field')} {code(one.valid_until_field)}"] if one.valid_until_field else []
    fields = "\n".join(_field(say, field) for field in one.fields)
    authors = say.titled("role", *(role for role in Role if role in roles))
    return "\n".join(about), say.family(one.family), authors, "; ".join(valid), fields


def _field(say: Words, one: FormField) -> str:
    name = f"`{one.name}`" if one.required else f"*`{one.name}`*"
    kind = say(one.kind) + (f" ({one.unit})" if one.unit else "") + (f": {code(*one.choices)}" if one.choices else "")
    columns = f" [{'; '.join(_field(say, column) for column in one.columns)}]" if one.columns else ""
    return f"{name} {say.text(one.title)}, {kind}{columns}"
