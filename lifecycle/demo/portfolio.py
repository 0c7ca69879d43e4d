"""All 24 projects in the order of their numbers: eight in production, twelve open, one on hold, three ended early.

Their fields are those of Jing Ji Ri Bao, 2025-10-30 (materials for integrated circuits, AI, high-end equipment and
chemicals), with unmanned aircraft and biotechnology; products, firms and people are invented.
"""

from typing import Any

from lifecycle.demo import situations as now
from lifecycle.demo.case import Product
from lifecycle.demo.financing import FINANCED
from lifecycle.demo.people import founding
from lifecycle.demo.robot import robot
from lifecycle.demo.stages import course, make_and_prove
from lifecycle.demo.story import Chapter
from lifecycle.demo.treasury import treasury

_V31: dict[str, Any] = {"programme": "HW-2024", "characteristic": ("装配间隙", "mm", 0.2, 0.8)}
_V32: dict[str, Any] = {**_V31, "programme": "HW-2025"}
_PLANT: dict[str, Any] = {
    "programme": "MAT-2024",
    "platform": "chemical",
    "manufacture": "process",
    "customers": "fab",
    "plant": "plant_2",
    "receiver_lead": "tao",
    "customer_rep": "bai",
    "panel": ("deng", "luo", "tang", "xu", "jiang"),
    "equipment": ("合成釜 R-201", "过滤单元 F-12"),
    "characteristic": ("金属杂质", "ppb", 0.0, 10.0),
}
_BIO: dict[str, Any] = {**_PLANT, "platform": "bio", "customers": "user", "customer_rep": "shao"}
_FAILED = (40, 31)

PAPER_REGISTER = {2024: 6}
"""Numbers that the register on paper had given when Pilotway was taken into use."""

PROJECTS_OF_2024: tuple[Chapter, ...] = (
    course(
        Product(name="智能分拣机械手", technology="视觉抓取", firm="lida", **_V31),
        *("2024-07-08", "2024-07-12", "2024-08-12", "2024-10-21", "2025-01-13", "2025-03-05"),
    ),
    course(
        Product(name="湿电子化学品纯化装置", technology="亚沸蒸馏纯化", firm="xinyan", **_PLANT),
        *("2024-08-05", "2024-08-14", "2024-10-10", "2025-01-20", "2025-04-21", "2025-06-16"),
        trial=make_and_prove(failed=_FAILED),
    ),
    course(
        Product(name="智能捕蚊机", technology="光触媒诱捕", firm="ningjing", **_V31),
        *("2024-11-04", "2024-11-08", "2024-12-12", "2025-04-28", "2025-11-11"),
        then=now.ready_to_advance,
    ),
)
"""PT-2024-0007 to 0009."""

FIRST_HALF_OF_2025: tuple[Chapter, ...] = (
    course(
        Product(name="植保无人机精准喷洒系统", technology="变量喷洒控制", firm="lingyi", **_V31),
        *("2025-01-06", "2025-01-10", "2025-02-21", "2025-04-30", "2025-07-28", "2025-09-08"),
        trial=make_and_prove(left_out={"reliability_test"}, meeting=now.with_waiver),
    ),
    course(
        Product(name="AI 视觉质检仪", technology="小样本缺陷识别", firm="mingshi", **_V31),
        *("2025-01-13", "2025-01-17", "2025-02-28", "2025-05-12", "2025-08-04", "2025-09-15"),
    ),
    course(
        Product(name="电子级光刻胶过滤器", technology="亚纳米膜过滤", firm="jinglv", **_PLANT),
        *("2025-01-20", "2025-02-10", "2025-04-14", "2025-09-22"),
        then=now.in_use,
    ),
    course(
        Product(name="特种环氧树脂", technology="低氯合成", firm="lvhua", **_PLANT),
        *("2025-02-10", "2025-02-19", "2025-04-07", "2025-06-23", "2025-09-15", "2025-10-27"),
    ),
    course(
        Product(name="连续流生物反应器", technology="灌流培养控制", firm="kangsheng", **_BIO),
        *("2025-02-17", "2025-02-26", "2025-04-15", "2025-07-21", "2025-09-26", "2025-11-10"),
        trial=make_and_prove(failed=_FAILED),
    ),
    course(
        Product(name="高精度谐波减速器", technology="齿形修形", firm="lida", **{**_PLANT, "manufacture": "assembly"}),
        *("2025-02-24", "2025-03-05", "2025-04-28", "2025-07-14", "2025-09-22", "2025-11-12"),
        taken_over_by="hardware",
    ),
    course(
        Product(name="语音交互模组", technology="远场拾音", firm="mingshi", **_V31),
        *("2025-03-03", "2025-03-07", "2025-04-11", "2025-06-16", "2025-08-25", "2025-10-13"),
        trial=now.debt_paid_later,
    ),
    course(
        Product(name="无卤阻燃添加剂", technology="微胶囊包覆", firm="lvhua", **_PLANT),
        *("2025-03-17", "2025-03-26", "2025-05-19"),
        then=now.given_up("2025-08-25", "stop_loss", "收率不足，超出约定止损"),
    ),
    course(
        Product(name="低温等离子清洗机", technology="大气压等离子", firm="lida", **_PLANT),
        *("2025-04-07", "2025-04-16"),
        then=now.given_up("2025-06-20", "not_economic", "单件成本为目标的 1.6 倍，无可行降本路径"),
    ),
    course(
        Product(name="便携式拉曼光谱仪", technology="微型光谱", firm="faguang", **_BIO),
        "2025-04-21",
        then=now.withdrawn("2025-04-28"),
    ),
    course(
        Product(name="电力巡检无人机", technology="自主避障", firm="lingyi", **_V31),
        *("2025-05-06", "2025-05-12", "2025-06-16", "2025-10-24"),
        trial=make_and_prove(left_out={"accredited_test_report"}, meeting=now.on_condition),
        then=now.placed,
    ),
    course(
        Product(name="高纯电子特气纯化", technology="低温精馏", firm="xinyan", **_PLANT),
        *("2025-05-19", "2025-05-28", "2025-07-21"),
        then=now.held("2025-10-15", "2026-01-09"),
    ),
    course(
        Product(name="智能护理床", technology="压力分布调节", firm="ningjing", **_V31),
        *("2025-06-09", "2025-06-13", "2025-07-18"),
        then=now.behind,
    ),
)
"""PT-2025-0001 to 0013."""

SECOND_HALF_OF_2025: tuple[Chapter, ...] = (
    robot,
    course(
        Product(name="AI 边缘计算盒", technology="模型压缩推理", firm="mingshi", **_V32),
        *("2025-08-18", "2025-08-22", "2025-10-09"),
        then=now.under_way,
    ),
    course(
        Product(name="微流控即时检测仪", technology="微流控芯片", firm="kangsheng", **_V32),
        *("2025-09-22", "2025-09-26"),
        then=now.not_booked,
    ),
    course(
        Product(name="固态电池复合隔膜", technology="陶瓷涂覆", firm="xinyan", **_PLANT),
        "2025-10-13",
        then=now.list_unanswered,
    ),
    course(
        Product(name="力控夹爪", technology="六维力控", firm="lida", **_V32),
        *("2025-10-30", "2025-11-06"),
        then=now.one_expert_missing,
    ),
    course(
        Product(name="晶圆传送末端执行器", technology="真空吸附", firm="jinglv", **_PLANT),
        *("2025-11-03", "2025-11-12"),
        then=now.budget_off,
    ),
    course(
        Product(name="无人机换电舱", technology="自动换电", firm="lingyi", **_V32),
        "2025-11-18",
        then=now.two_missing,
    ),
    course(
        Product(name="发酵罐在线探头", technology="在线拉曼", firm="faguang", **_BIO),
        "2025-11-18",
        then=now.completed,
    ),
)
"""PT-2025-0014, the robot, to 0021."""

CHAPTERS: tuple[Chapter, ...] = (
    *(founding, treasury),
    *(*PROJECTS_OF_2024, *FIRST_HALF_OF_2025, *SECOND_HALF_OF_2025),
    *FINANCED,
)
"""The whole story; of chapters that go on at one day the earlier one here comes first."""
