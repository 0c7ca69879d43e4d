"""What a trial leaves behind besides batches: claims, revisions, characteristics, issues, tracks, scenarios, orders."""

from typing import Annotated, Any

import typer

from cli.binder import Own, Within, bind
from cli.options import reads
from cli.output import Column
from cli.typing_in import TODAY

_REQUIREMENTS = "lifecycle.requirements.commands"
_TRIALS = "lifecycle.trials.commands"
_REF = Annotated[str, typer.Argument(metavar="REF", help="Project: PT-2026-0042, or its id.")]


def _noun(text: str) -> typer.Typer:
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)


def _level(text: str) -> tuple[str, str, int]:
    scale, colon, rest = text.partition(":")
    item, sign, level = rest.rpartition("=")
    if scale not in ("trl", "mrl") or not colon or not sign or not level.isdecimal():
        raise ValueError(f"expected SCALE:ITEM=N such as mrl:design=5, got {text!r}")
    return scale, item, int(level)


claim = _noun("Readiness levels (TRL, MRL) that a project claims.")
bind(
    claim,
    "add",
    f"{_REQUIREMENTS}:ClaimLevel",
    "Claim a level for one critical technology (TRL) or one thread (MRL).",
    arguments=("project_id", "scale", "item", "level"),
    own={
        "scale": Own(help="trl or mrl."),
        "item": Own(help="Critical technology (trl), or one of the nine threads (mrl), such as design."),
        "level": Own(help="1 to 9 (TRL), 1 to 10 (MRL)."),
    },
)

bind(
    claim,
    "add-all",
    f"{_REQUIREMENTS}:ClaimLevels",
    "Claim all levels of an assessment at once; they are checked together.",
    arguments=("project_id",),
    own={
        "levels": Own(
            option="--level",
            metavar="SCALE:ITEM=N",
            parse=_level,
            help="One level, such as trl:control=5 or mrl:design=5.",
        ),
    },
)

revision = _noun("Design revisions.")
bind(
    revision,
    "freeze",
    f"{_REQUIREMENTS}:FreezeRevision",
    "Freeze a design revision; exactly the requirements that it touches are judged again.",
    arguments=("project_id", "label"),
    own={
        "label": Own(help="Label of the revision, such as R2."),
        "frozen_on": Own(option="--on", default=TODAY, help="Day of the freeze."),
        "touched_clauses": Own(
            option="--touches", metavar="CLAUSE", help="Clause that the change touches; once for each."
        ),
    },
)

characteristic = _noun("Special characteristics with their limits.")
bind(
    characteristic,
    "add",
    f"{_TRIALS}:AddCharacteristic",
    "Name a special characteristic; at least one limit is needed.",
    arguments=("project_id", "name"),
    own={
        "name": Own(help="Name of the characteristic."),
        "unit": Own(help="Its unit, such as mm."),
        "lower_limit": Own(option="--lower", help="Lower limit."),
        "upper_limit": Own(option="--upper", help="Upper limit."),
        "is_critical": Own(help="Safety or function hangs on it."),
        "gauge": Own(help="What it is measured with."),
    },
)

issue = _noun("Issues, deviations, incidents, complaints: what was found and has to be closed.")
_ISSUE = Within(
    name="number", option="--issue", metavar="N", help="Number of the finding, unless REF is PT-2026-0042/3."
)
bind(
    issue,
    "add",
    f"{_TRIALS}:AddIssue",
    "Record a finding; a major incident puts the project on hold at once.",
    arguments=("project_id", "title"),
    own={
        "title": Own(help="What was found."),
        "severity": Own(help="1 (worst; for an incident: major) to 4."),
        "owner": Own(help="Who closes it."),
        "opened_on": Own(option="--on", help="Day on which it was found. [default: today]"),
        "due_on": Own(option="--due", help="Day until which it is to be closed."),
        "batch_number": Own(option="--batch", metavar="B-03", help="Batch in which it was found."),
    },
)
bind(
    issue,
    "close",
    f"{_TRIALS}:CloseIssue",
    "Close a finding with its disposition.",
    within=_ISSUE,
    own={"disposition": Own(help="What was done about it."), "number": Own(build=lambda _lookup, number: int(number))},
)


@issue.command("list")
@reads
def list_issues(door: Any, ref: _REF) -> None:
    """List the findings of a project."""
    from cli.behind.records import issue_rows

    columns = (
        Column(key="number"),
        Column(key="kind", kind="kind"),
        Column(key="severity"),
        Column(key="title", is_wide=True),
        Column(key="owner"),
        Column(key="opened_on"),
        Column(key="due_on"),
        Column(key="closed_on"),
    )
    door.output.table(columns, issue_rows(door, ref))


track = _noun("The verifications of the trial stage, side by side.")
_VERIFICATION = ("project_id", "verification")
bind(
    track,
    "start",
    f"{_TRIALS}:StartTrack",
    "Begin one of the asked verifications.",
    arguments=_VERIFICATION,
    own={"verification": Own(help="Which one."), "started_on": Own(option="--on", default=TODAY, help="First day.")},
)
bind(
    track,
    "finish",
    f"{_TRIALS}:FinishTrack",
    "End a verification with its result.",
    arguments=_VERIFICATION,
    own={
        "verification": Own(help="Which one."),
        "finished_on": Own(option="--on", default=TODAY, help="Last day."),
        "is_passed": Own(option="--passed/--failed", help="Its result."),
    },
)

scenario = _noun("Customers and sites of market validation; and scenario files of a rehearsal.")
bind(
    scenario,
    "record",
    f"{_TRIALS}:RecordScenario",
    "Record a site, or go on with it; what is not given stays as it was.",
    arguments=("project_id", "site"),
    own={
        "site": Own(help="Name of the site."),
        "profile": Own(help="How it is used there."),
        "agreement_signed_on": Own(help="Day the agreement was signed."),
        "started_on": Own(help="First day of use."),
        "ended_on": Own(help="Last day of use."),
        "report_signed_on": Own(help="Day the user signed the report."),
        "units": Own(help="Units placed."),
        "unit_batches": Own(option="--unit-batch", metavar="B-03", help="Batch the units came from; once for each."),
        "failures": Own(help="Failures in use."),
        "limits": Own(
            option="--limit", help='Limits of a measured quantity, NAME={"lower": 1, "upper": 2, "unit": "°C"}.'
        ),
        "measured": Own(option="--measured", metavar="NAME=VALUE", help="What was measured; once for each quantity."),
        "witness": Own(help="Who witnessed it."),
        "valid_until_on": Own(help="Day until which the result counts."),
    },
)

order = _noun("Orders and letters of intent.")
bind(
    order,
    "record",
    f"{_TRIALS}:RecordOrder",
    "Record an order, or go on with it; what is not given stays as it was.",
    arguments=("project_id", "reference"),
    own={
        "reference": Own(help="The customer's reference."),
        "quantity": Own(help="Units."),
        "signed_on": Own(help="Day it was signed."),
        "is_binding": Own(option="--binding/--not-binding", help="Whether it binds."),
        "paid_on": Own(help="Day it was paid."),
        "cancelled_on": Own(help="Day it was cancelled."),
    },
)
