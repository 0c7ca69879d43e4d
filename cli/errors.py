"""How a command ends when it does not do what was asked: exit codes of the contract, and what people read.

First what did not happen, then every reason with who owes it, then what to try. With `--json` one document.
"""

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import typer

from cli.output import Output, folded, screen_width
from lifecycle.errors import Invalid, KeyReused, LifecycleError, NotSignedIn, Stale, Unmet
from notifications.words import Explanation, Names, explain_unmet, sentence

DONE, FAILED, USAGE, REFUSED, NOT_SIGNED_IN, CONFLICT, PARTLY, BROKEN, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 7, 130
"""`docs/contract.md`, section 5."""

_EXIT_OF: tuple[tuple[type[LifecycleError], int], ...] = ((Stale, CONFLICT), (KeyReused, CONFLICT), (Invalid, USAGE))

_CLAIM = "pilotway claim add-all {project} --level trl:TECHNOLOGY=N --level mrl:design=N … --evidence ID"
_TRY = {
    "gate_unmet": "pilotway gate check {ref}",
    "role": "pilotway project explain {project}",
    "stale": "pilotway project show {project}",
    "not_found": "pilotway project assign {project} LOGIN ROLE",
    "not_signed_in": "export PILOTWAY_TOKEN=pt_…",
    "decision_missing": "pilotway review list {project}",
    "evidence_frozen": "pilotway review cancel {project}",
    "maturity_not_claimed": _CLAIM,
    "technologies_not_claimed": _CLAIM,
    "threads_not_claimed": _CLAIM,
    "levels_without_evidence": _CLAIM,
    "database_missing": "pilotway init",
    "schema_not_at_head": "pilotway migrate",
}
"""What to try next, by the first code that has something to say; what names a project, where one was named."""
_NUMBER = re.compile(r"PT-[0-9]{4}-[0-9]+", re.IGNORECASE)


class CannotWork(Exception):
    """The database or another outside thing does not answer (exit 1)."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        super().__init__(detail)


class Refusal(Exception):
    """A command was answered with an error; remembers what was asked, for the first line says what did not happen."""

    def __init__(
        self, error: LifecycleError, *, verb: str, ref: str, names: Names | None = None, place: str = ""
    ) -> None:
        self.error, self.verb, self.ref, self.names, self.place = error, verb, ref, names or {}, place
        super().__init__(str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is printed when a command ends with exit 1 to 5."""

    exit_code: int
    code: str
    detail: str
    reasons: tuple[Unmet, ...] = ()
    verb: str = ""
    ref: str = ""
    names: Names = field(default_factory=dict)
    place: str = ""
    """Where in a file that asked for it."""


@contextmanager
def guarded(output: Output) -> Iterator[None]:
    """Turn whatever goes wrong inside the block into a printed problem and its exit code."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.TyperException, KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - the outermost door: nothing may pass it as a bare trace
        if output.is_verbose:
            traceback.print_exception(error)
        problem = problem_of(error, output)
        show(problem, output)
        raise typer.Exit(problem.exit_code) from None


def problem_of(error: Exception, output: Output) -> Problem:
    """Return what to print of an error and which exit code it has."""
    if isinstance(error, Refusal):
        return _refused(error, output)
    if isinstance(error, LifecycleError):
        return _refused(Refusal(error, verb="", ref=""), output)
    if isinstance(error, CannotWork):
        return Problem(exit_code=FAILED, code=error.code, detail=str(error))
    return _from_outside(error)


def exit_code(error: LifecycleError) -> int:
    """Return the exit code of a refusal."""
    if isinstance(error, NotSignedIn):
        return NOT_SIGNED_IN
    return next((code for kind, code in _EXIT_OF if isinstance(error, kind)), REFUSED)


def show(problem: Problem, output: Output) -> None:
    """Print a problem: one JSON document on stdout, or what, why and how on stderr."""
    if output.as_json:
        output.document({"error": error_document(problem)})
        return
    is_headed = bool(problem.verb) or not problem.reasons
    if is_headed:
        output.warn(_what(problem, output), "red")
    for reason in problem.reasons:
        for line in reason_lines(explain_unmet(reason, output.lang, problem.names), output):
            indent = 2 * is_headed + len(line) - len(line.lstrip())
            for part in folded(line.lstrip(), screen_width() - indent) if sys.stderr.isatty() else [line.lstrip()]:
                output.warn(" " * indent + part)
    for code in (problem.code, *(reason.code for reason in problem.reasons)):
        if command := advice(code, problem.ref):
            output.say("try_this", command=command)
            return


def advice(code: str, ref: str) -> str:
    """Return the command to try next for a code; empty where there is none, or none that could be typed."""
    form, project = _TRY.get(code, ""), ref.partition("/")[0]
    return form.format(ref=ref, project=project) if "{" not in form or _NUMBER.fullmatch(project) else ""


def error_document(problem: Problem) -> dict[str, object]:
    """Return the contract's error: code, unmet codes, a sentence, and each reason in full."""
    return {
        "code": problem.code,
        "unmet": list(dict.fromkeys(reason.code for reason in problem.reasons)),
        "detail": f"{problem.place}: {problem.detail}" if problem.place else problem.detail,
        "reasons": [reason.document() for reason in problem.reasons],
        **({"place": problem.place} if problem.place else {}),
    }


def reason_lines(reason: Explanation, output: Output) -> list[str]:
    """Return one reason as people read it: what, then who owes it until when, then what would suffice."""
    head = " ".join(filter(None, [reason.clause or reason.ref, reason.verdict]))
    colon = "：" if output.lang == "zh-CN" else ": "
    lines = [f"{head}{colon}{reason.what}" if head else reason.what]
    if reason.owed_by:
        code = "owed_by_until" if reason.until else "owed_by"
        lines.append("  " + sentence(code, {"who": reason.owed_by, "day": reason.until}, output.lang))
    if reason.suffices:
        lines.append("  " + sentence("what_suffices", {"what": reason.suffices}, output.lang))
    return lines


def _what(problem: Problem, output: Output) -> str:
    if not problem.verb:
        return problem.detail
    values = {"verb": problem.verb, "ref": problem.ref, "count": len(problem.reasons)}
    return sentence("cannot", values, output.lang)


def _refused(refusal: Refusal, output: Output) -> Problem:
    error = refusal.error
    reasons = error.unmet or (Unmet(code=error.code),)
    return Problem(
        exit_code=exit_code(error),
        code=error.codes[0],
        detail=" ".join(explain_unmet(reason, output.lang, refusal.names).what for reason in reasons),
        reasons=reasons,
        verb=refusal.verb,
        ref=refusal.ref,
        names=refusal.names,
        place=refusal.place,
    )


def _from_outside(error: Exception) -> Problem:
    """Errors of settings, database and files: only now are their modules worth importing."""
    from sqlalchemy.exc import SQLAlchemyError

    from models.ports import OutsideError
    from models.readiness import NotInitialisedError, NotReadyError, SchemaNotAtHeadError
    from models.settings import SettingsError

    if isinstance(error, SettingsError):
        return Problem(exit_code=USAGE, code="settings", detail=str(error))
    if isinstance(error, NotInitialisedError):
        return Problem(exit_code=FAILED, code="database_missing", detail=str(error))
    if isinstance(error, SchemaNotAtHeadError):
        return Problem(exit_code=FAILED, code="schema_not_at_head", detail=str(error))
    if isinstance(error, NotReadyError):
        return Problem(exit_code=FAILED, code="database_not_ready", detail=str(error))
    if isinstance(error, SQLAlchemyError):
        return Problem(exit_code=FAILED, code="database", detail=str(getattr(error, "orig", None) or error))
    if isinstance(error, OutsideError | OSError):
        return Problem(exit_code=FAILED, code="outside", detail=str(error))
    return Problem(exit_code=FAILED, code="unexpected", detail=f"{type(error).__name__}: {error}")
