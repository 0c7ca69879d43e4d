"""The command line: nouns, then verbs. Only Typer is imported here; a command imports what it needs when it runs."""

import io
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import typer

from cli import (
    agreements,
    audits,
    batches,
    calendars,
    demo,
    disbursement,
    evidence,
    exports,
    funds,
    gates,
    imports,
    installation,
    notify,
    organisations,
    outbox,
    payments,
    programmes,
    projects,
    recoveries,
    reminders,
    replays,
    reports,
    reviews,
    runs,
    scenarios,
    serving,
    standards,
    trials,
    users,
    webhooks,
)
from cli.errors import FAILED, INTERRUPTED, USAGE
from cli.output import json_text
from cli.usage import usage_text, wanted_language

app = typer.Typer(
    name="pilotway",
    help="Pilotway moves pilot-test projects from intake to handoff by guarded, explained, recorded decisions.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
installation.add_to(app)
runs.add_to(app)
app.command("demo")(demo.demo)
app.command("serve")(serving.serve)
app.command("console")(serving.console)
app.command("replay")(replays.replay)
scenarios.add_to(trials.scenario)
serving.add_to(runs.flow)
for name, noun in {
    "project": projects.app,
    "gate": gates.app,
    "review": reviews.app,
    "batch": batches.app,
    "evidence": evidence.app,
    "claim": trials.claim,
    "revision": trials.revision,
    "characteristic": trials.characteristic,
    "issue": trials.issue,
    "track": trials.track,
    "scenario": trials.scenario,
    "order": trials.order,
    "fund": funds.app,
    "agreement": agreements.app,
    "milestone": agreements.milestone,
    "cost": agreements.cost,
    "recovery": recoveries.app,
    "payout": payments.payout,
    "payee": payments.payee,
    "bank": payments.bank,
    "statement": payments.statement,
    "exception": payments.exception,
    "standard": standards.app,
    "programme": programmes.app,
    "organisation": organisations.app,
    "user": users.app,
    "notify": notify.app,
    "webhook": webhooks.app,
    "outbox": outbox.app,
    "import": imports.app,
    "disbursement": disbursement.app,
    "runs": runs.app,
    "flow": runs.flow,
    "reminders": reminders.app,
    "report": reports.app,
    "calendar": calendars.app,
    "audit": audits.app,
    "export": exports.app,
}.items():
    app.add_typer(noun, name=name)


def main() -> None:
    """Run the program with the arguments of the process and leave with its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what was done is told in whatever letters there are
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; usage errors become a document where `--json` was asked for."""
    try:
        code = _program().main(args=list(arguments), prog_name="pilotway", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        _show_usage(error, arguments)
        return USAGE
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; nobody wants a trace
        return FAILED
    except OSError as error:
        print(error, file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is not tried again at the exit
        return FAILED
    return code if isinstance(code, int) else 0


@cache
def _program() -> Any:
    # Built of all these nouns in a tenth of a second: once, however many commands a process runs.
    return typer.main.get_command(app)


def _show_usage(error: typer.TyperException, arguments: Sequence[str]) -> None:
    if "--json" in arguments:
        print(json_text({"error": {"code": "usage", "unmet": [], "detail": error.format_message()}}))
        return
    show, lang = getattr(error, "show", None), wanted_language(arguments)
    if lang != "en" and error.format_message():
        print(usage_text(error, lang), file=sys.stderr)
    elif show is not None:
        show()
    else:
        print(error.format_message(), file=sys.stderr)


if __name__ == "__main__":
    main()
