"""The people of the story and their organisations, all invented; whose logins the manual names are marked there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lifecycle.actor import Actor
from lifecycle.demo.story import Steps, Story, id_of
from lifecycle.people.commands import AddOrganisation, AddProgramme, AddUser, GrantRole, PublishStandard
from lifecycle.stages.credit_code import check_character
from lifecycle.standards import library
from models.states import Competence, Door, OrganisationKind, Role

FOUNDED = date(2024, 7, 1)
"""Pilotway is taken into use; what lies before is in the paper register."""
NEW_STANDARD = date(2025, 6, 20)
"""The association publishes v3.2, in force from 2025-07-01."""

K, R, C = OrganisationKind, Role, Competence


@dataclass(frozen=True, slots=True)
class Firm:
    """An applicant with the two people who act for it."""

    name: str
    region: str
    lead: tuple[str, str]
    """Login and name; also process engineer."""
    finance: tuple[str, str]


FIRMS: Mapping[str, Firm] = {
    "weidao": Firm("成都味道智能科技有限公司", "510100", ("sme", "李工"), ("zhao", "赵会计")),
    "jinglv": Firm("上海晶滤材料有限公司", "310000", ("shi", "石工"), ("lin", "林会计")),
    "ningjing": Firm("宁静生活电器有限公司", "510100", ("bu", "卜工"), ("mei", "梅会计")),
    "lingyi": Firm("凌翼无人机有限公司", "440300", ("ling", "凌工"), ("ji", "纪会计")),
    "mingshi": Firm("明视人工智能有限公司", "310000", ("mingg", "明工"), ("shen", "沈会计")),
    "xinyan": Firm("芯研半导体材料有限公司", "310000", ("yan", "严工"), ("pan", "潘会计")),
    "lvhua": Firm("绿化精细化工有限公司", "310000", ("hua", "华工"), ("qi", "戚会计")),
    "kangsheng": Firm("康生生物科技有限公司", "320500", ("kangg", "康工"), ("ge", "葛会计")),
    "lida": Firm("力达高端装备有限公司", "510100", ("lu", "鲁工"), ("fei", "费会计")),
    "faguang": Firm("发光生物仪器有限公司", "320500", ("fa", "范工"), ("wei", "魏会计")),
}


@dataclass(frozen=True, slots=True)
class Crew:
    """A pilot platform: its name and its people by role, login and name."""

    name: str
    region: str
    people: Mapping[Role, tuple[str, str]]


PLATFORMS: Mapping[str, Crew] = {
    "hardware": Crew(
        "智能硬件中试基地",
        "510100",
        {
            R.COORDINATOR: ("coordinator", "张协调"),
            R.LAB_LEAD: ("liu", "刘试验"),
            R.QUALITY_ENGINEER: ("wang", "王敏"),
            R.EHS_OFFICER: ("he", "何安环"),
            R.TECHNICAL_MANAGER: ("sun", "孙经理人"),
        },
    ),
    "chemical": Crew(
        "化工区中试基地",
        "310000",
        {
            R.COORDINATOR: ("zheng", "郑协调"),
            R.LAB_LEAD: ("guo", "郭试验"),
            R.QUALITY_ENGINEER: ("ma", "马质量"),
            R.EHS_OFFICER: ("yu", "于安环"),
            R.TECHNICAL_MANAGER: ("cao", "曹经理人"),
        },
    ),
    "bio": Crew(
        "生物制造中试平台",
        "320500",
        {
            R.COORDINATOR: ("dong", "董协调"),
            R.LAB_LEAD: ("xia", "夏试验"),
            R.QUALITY_ENGINEER: ("ding", "丁质量"),
            R.EHS_OFFICER: ("ren", "任安环"),
            R.TECHNICAL_MANAGER: ("yao", "姚经理人"),
        },
    ),
}

OTHERS: Mapping[str, tuple[str, OrganisationKind]] = {
    "fund": ("中试基金一期", K.FUNDER),
    "association": ("上海智能硬件行业协会", K.ASSOCIATION),
    "laboratory": ("国检食品接触材料检测中心", K.LAB),
    "auditors": ("正衡会计师事务所", K.AUDITOR_FIRM),
    "canteen_1": ("锦江机关食堂", K.CUSTOMER),
    "canteen_2": ("高新园区职工食堂", K.CUSTOMER),
    "canteen_3": ("西郊学校食堂", K.CUSTOMER),
    "fab_1": ("华东晶圆一厂", K.CUSTOMER),
    "fab_2": ("滨江半导体有限公司", K.CUSTOMER),
    "fab_3": ("临港集成电路有限公司", K.CUSTOMER),
    "user_1": ("绿野农服合作社", K.CUSTOMER),
    "user_2": ("城市巡检服务中心", K.CUSTOMER),
    "user_3": ("康泽制药有限公司", K.CUSTOMER),
    "plant_1": ("成都精造电子有限公司", K.RECEIVER),
    "plant_2": ("上海联产材料有限公司", K.RECEIVER),
    "guidance": ("浦江产业引导基金", K.INVESTOR),
    "group": ("申和高端装备集团有限公司", K.INVESTOR),
    "venture": ("启源创业投资有限公司", K.INVESTOR),
}

FUND: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("chen", "陈经理", (R.FUND_MANAGER,)),
    ("zhou", "周总", (R.FUND_MANAGER, R.FUND_DIRECTOR)),
    ("wu", "吴核验", (R.CERTIFIER,)),
    ("qian", "钱出纳", (R.PAYER,)),
    ("jin", "金主管", (R.SPONSOR,)),
    ("han", "韩经理", (R.FUND_MANAGER,)),
    ("tian", "田会计", (R.ACCOUNTANT,)),
)

EXPERTS: tuple[tuple[str, str, tuple[Competence, ...]], ...] = (
    ("fang", "方组长", (C.MANUFACTURING_QUALITY,)),
    ("deng", "邓组长", (C.MANUFACTURING_QUALITY,)),
    ("tang", "唐专家", (C.TECHNICAL,)),
    ("luo", "罗专家", (C.TECHNICAL,)),
    ("xu", "徐专家", (C.MARKET,)),
    ("jiang", "蒋专家", (C.FINANCE,)),
    ("su", "苏专家", (C.MARKET, C.FINANCE)),
)

ELSEWHERE: tuple[tuple[str, str, Role, str], ...] = (
    ("operator", "运行员", R.OPERATOR, ""),
    ("gao", "高编辑", R.STANDARD_EDITOR, "association"),
    ("qin", "秦审计", R.AUDITOR, ""),
    ("meng", "孟主任", R.RECEIVER_LEAD, "plant_1"),
    ("tao", "陶主任", R.RECEIVER_LEAD, "plant_2"),
    ("kong", "孔主管", R.CUSTOMER_REP, "canteen_1"),
    ("bai", "白主管", R.CUSTOMER_REP, "fab_1"),
    ("shao", "邵主管", R.CUSTOMER_REP, "user_1"),
)
"""Receivers, the operator, an editor, an auditor; and the people of customers, who reach what they are named for."""

CHAIRS = ("fang", "deng")

PROGRAMMES: Mapping[str, tuple[str, str]] = {
    "HW-2024": ("智能硬件中试专项（2024）", "hardware@v3.1"),
    "MAT-2024": ("新材料与装备中试专项（2024）", "default@2026.1"),
    "HW-2025": ("智能硬件中试专项（2025）", "hardware@v3.2"),
}


def founding(story: Story) -> Steps:
    """Enter everybody and everything that is there before the first project, and a year later the newer standard."""
    yield FOUNDED
    story.people["clock"] = Actor.clock(Door.CLI)
    _enter(story, "clock", [("admin", "系统管理员", ())])
    _grant(story, "clock", [("admin", R.ADMIN, "")])
    _enter_organisations(story)
    _enter(story, "admin", list(_everybody()))
    _grant(story, "admin", list(_grants()))
    for code in ("HW-2024", "MAT-2024"):
        _open_programme(story, code)
    yield NEW_STANDARD
    _open_programme(story, "HW-2025")


def _enter_organisations(story: Story) -> None:
    rows: list[tuple[str, dict[str, Any]]] = []
    for number, (key, firm) in enumerate(FIRMS.items(), start=1):
        rows.append((key, {"name": firm.name, "kind": K.SME, "credit_code": _code(firm.region, number)}))
    for number, (key, crew) in enumerate(PLATFORMS.items(), start=101):
        rows.append((key, {"name": crew.name, "kind": K.PLATFORM, "credit_code": _code(crew.region, number)}))
    for number, (key, (name, kind)) in enumerate(OTHERS.items(), start=201):
        rows.append((key, {"name": name, "kind": kind, "credit_code": _code("310000", number)}))
    answers = story.all("admin", AddOrganisation, [{"country": "CN", **fields} for _, fields in rows])
    story.organisations |= {key: id_of(answer) for (key, _), answer in zip(rows, answers, strict=True)}


def credit_code_of(firm: str) -> str:
    """Return the credit code under which this firm is entered."""
    return _code(FIRMS[firm].region, list(FIRMS).index(firm) + 1)


def _code(region: str, number: int) -> str:
    first = f"91{region}MA{number:07d}"
    return first + check_character(first)


def _everybody() -> list[tuple[str, str, tuple[Competence, ...]]]:
    firms = [person for firm in FIRMS.values() for person in (firm.lead, firm.finance)]
    crews = [person for crew in PLATFORMS.values() for person in crew.people.values()]
    fund = [(login, name) for login, name, _ in FUND]
    others = [(login, name) for login, name, _, _ in ELSEWHERE]
    plain = [(login, name, tuple[Competence, ...]()) for login, name in (*firms, *crews, *fund, *others)]
    return [*plain, *EXPERTS]


def _grants() -> list[tuple[str, Role, str]]:
    grants: list[tuple[str, Role, str]] = []
    for key, firm in FIRMS.items():
        grants += [(firm.lead[0], role, key) for role in (R.PROJECT_LEAD, R.PROCESS_ENGINEER)]
        grants.append((firm.finance[0], R.FINANCE_OFFICER, key))
    for key, crew in PLATFORMS.items():
        grants += [(login, role, key) for role, (login, _) in crew.people.items()]
    grants += [(login, role, "fund") for login, _, roles in FUND for role in roles]
    grants += [(login, role, at) for login, _, role, at in ELSEWHERE]
    grants += [(login, R.EXPERT, "") for login, _, _ in EXPERTS]
    grants += [(login, R.PANEL_CHAIR, "") for login in CHAIRS]
    return [*grants, ("chen", R.COORDINATOR, "chemical")]


def _enter(story: Story, who: str, people: list[tuple[str, str, tuple[Competence, ...]]]) -> None:
    asked = [
        {"login": login, "email": f"{login}@example.org", "name": name, "competences": tuple(map(str, competences))}
        for login, name, competences in people
    ]
    for (login, name, _), answer in zip(people, story.all(who, AddUser, asked), strict=True):
        user_id = id_of(answer)
        story.people[login] = Actor(user_id=user_id, person_id=user_id, name=name, door=Door.CLI)


def _grant(story: Story, who: str, grants: list[tuple[str, Role, str]]) -> None:
    story.all(
        who,
        GrantRole,
        [
            {"user_id": story.people[login].user_id, "role": role, "organisation_id": story.organisations.get(at)}
            for login, role, at in grants
        ],
    )


def _open_programme(story: Story, code: str) -> None:
    name, standard = PROGRAMMES[code]
    pack = library.by_name(standard)
    digest = library.sha256(pack)
    if digest not in {library.sha256(known) for known in story.packs.values()}:
        editor = "gao" if pack.based_on else "admin"
        story.act(editor, PublishStandard, sha256=digest, body=pack.canonical())
    fund = story.organisations["fund"]
    answer = story.act("admin", AddProgramme, code=code, name=name, pack_sha256=digest, organisation_id=fund)
    story.programmes[code] = id_of(answer)
    story.packs[code] = pack
