"""Facts in, reasons out: everything that can stand in the way of the verbs of people and organisations. Pure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.stages import credit_code
from lifecycle.stages.rules import RULES
from lifecycle.standards import library
from lifecycle.standards.faults import faults
from lifecycle.standards.pack import Pack
from models.limits import LONG_TEXT, SHORT_TEXT, WHOLE_SHARE
from models.states import Role, UserStatus

if TYPE_CHECKING:
    from lifecycle.people.facts import DelegationEntry, Entry

_SHA256_LENGTH = 64
LANGUAGES = ("zh-CN", "en")


@about_input
def not_taken(entry: "Entry") -> tuple[Unmet, ...]:
    """A unique value is not used twice."""
    taken = [(column, value) for column, value in entry.new.items() if (column, value) in entry.taken]
    return tuple(unmet("already_exists", field=column, value=value) for column, value in taken)


_ABSENT = {"pack_sha256": unmet("pack_not_found"), "person_id": unmet("user_not_found")}


@about_input
def all_there(entry: "Entry") -> tuple[Unmet, ...]:
    """What the command refers to exists."""
    return tuple(_ABSENT.get(name) or unmet("organisation_not_found") for name in entry.absent)


@about_input
def sound_account(entry: "Entry") -> tuple[Unmet, ...]:
    """An account has a login without blanks, and one mail address, of one person."""
    command = entry.command
    sound = command.login and not any(char.isspace() for char in command.login) and _is_address(command.email)
    return () if sound else (unmet("account_wrong", login=command.login, email=command.email),)


def _is_address(text: str) -> bool:
    """Say whether a mail can be addressed to this, and to nobody besides."""
    local, _, domain = text.rpartition("@")
    plain = text.isprintable() and not set(text) & set(' ,;:<>()"\\')
    return bool(local and domain) and plain and "@" not in local


@about_input
def sound_token(entry: "Entry") -> tuple[Unmet, ...]:
    """Only the SHA-256 of a token is handed over."""
    digest = entry.command.token_sha256
    wrong = len(digest) != _SHA256_LENGTH or set(digest) - set("0123456789abcdef")
    return (unmet("token_hash_wrong"),) if wrong else ()


@about_input
def token_ends(entry: "Entry") -> tuple[Unmet, ...]:
    """A token ends later than it begins; for how long at most, each door says."""
    is_sound = entry.now is not None and entry.now < entry.command.expires_at
    return () if is_sound else (unmet("token_term_wrong"),)


@about_input
def sound_credit_code(entry: "Entry") -> tuple[Unmet, ...]:
    """Refuse a credit code that is not one (GB 32100)."""
    code = entry.command.credit_code
    problem = credit_code.problem(code) if code is not None else None
    return (unmet("credit_code_wrong", value=code, problem=problem),) if problem else ()


@about_input
def credit_code_free(entry: "Entry") -> tuple[Unmet, ...]:
    """A credit code is one organisation's alone; who holds it already is named."""
    code = entry.changes.get("credit_code", "")
    return (unmet("credit_code_held", value=code, name=entry.holders[code]),) if code in entry.holders else ()


@about_input
def something_corrected(entry: "Entry") -> tuple[Unmet, ...]:
    """A correction names at least one value that is not stored yet."""
    return () if entry.changes else (unmet("nothing_corrected"),)


@about_input
def has_reason(entry: Any) -> tuple[Unmet, ...]:
    """A correction, or a delegation, says why."""
    return () if 0 < len(entry.command.reason.strip()) <= LONG_TEXT else (unmet("reason_missing"),)


@about_input
def named(entry: "Entry") -> tuple[Unmet, ...]:
    """Refuse an empty or overlong name, where one is given."""
    if entry.command.name is None:
        return ()
    name = entry.command.name.strip()
    return () if 0 < len(name) <= SHORT_TEXT else (unmet("name_length", limit=SHORT_TEXT, length=len(name)),)


@about_input
def grant_reaches(entry: "Entry") -> tuple[Unmet, ...]:
    """Only operator, admin and auditor reach the whole installation."""
    wide = entry.command.role in (Role.OPERATOR, Role.ADMIN, Role.AUDITOR, Role.EXPERT, Role.PANEL_CHAIR)
    return () if wide or entry.command.organisation_id else (unmet("role_needs_organisation", role=entry.command.role),)


def not_oneself(entry: "Entry") -> tuple[Unmet, ...]:
    """Nobody changes their own rights, administrators included, nor those of their other accounts."""
    own = entry.row is not None and entry.row.person_id == entry.actor_person_id
    return (unmet("four_eyes"),) if own else ()


@about_input
def grant_is_live(entry: "Entry") -> tuple[Unmet, ...]:
    """Refuse to revoke what is no grant of this user, or no longer one."""
    return () if entry.has_live_grant else (unmet("grant_not_found"),)


@about_input
def token_is_live(entry: "Entry") -> tuple[Unmet, ...]:
    """Refuse to take back what is no token of this user, or no longer one."""
    return () if entry.has_live_token else (unmet("token_not_found"),)


_DUTIES: Mapping[Role, str] = {
    Role.CERTIFIER: "certify",
    Role.FUND_MANAGER: "approve",
    Role.FUND_DIRECTOR: "approve",
    Role.PAYER: "pay",
    Role.ACCOUNTANT: "account",
}
_FIRM = (Role.PROJECT_LEAD, Role.FINANCE_OFFICER, Role.PROCESS_ENGINEER)


@about_input
def delegable(entry: "DelegationEntry") -> tuple[Unmet, ...]:
    """Only who decides on payouts can be stood in for: there each word says for whom it is given (5.4)."""
    role, allowed = entry.command.role, entry.delegable
    return () if role in allowed else (unmet("role_not_delegable", role=role, allowed=sorted(allowed)),)


@about_input
def holds_it(entry: "DelegationEntry") -> tuple[Unmet, ...]:
    """Nobody lends what they do not hold by themselves: a delegation is not passed on and widens nothing."""
    command = entry.command
    holds = (command.role, command.organisation_id) in entry.own
    return () if holds else (unmet("role", needs=[command.role], verb="delegate"),)


def another_human(entry: "DelegationEntry") -> tuple[Unmet, ...]:
    """Nobody stands in for themselves, with no account of theirs."""
    return (unmet("four_eyes"),) if entry.row.person_id == entry.stamp.actor.person_id else ()


@about_input
def separate_duties(entry: "DelegationEntry") -> tuple[Unmet, ...]:
    """Who asks, certifies, approves, pays or books stands in for none of the other duties (F7).

    What concerns one payout (its maker, its voucher, an interest in the firm) is asked at each word, for both people.
    """
    role, place = entry.command.role, entry.command.organisation_id
    duty = _DUTIES.get(role)
    other = {
        held
        for held, organisation in entry.held
        if held in _FIRM or (organisation == place and _DUTIES.get(held, duty) != duty)
    }
    return (unmet("delegate_excluded", roles=sorted(other)),) if other else ()


@about_input
def sound_days(entry: "DelegationEntry") -> tuple[Unmet, ...]:
    """A delegation has a first and a last day, and is not over."""
    command = entry.command
    if command.from_on > command.until_on:
        return (unmet("days_out_of_order", field="until_on"),)
    return (
        () if command.until_on >= entry.stamp.today else (unmet("delegation_over", day=command.until_on.isoformat()),)
    )


@about_input
def delegation_is_live(entry: "DelegationEntry") -> tuple[Unmet, ...]:
    """Refuse to end what is no delegation to this user, or no longer one."""
    found = entry.delegation
    is_live = found is not None and found.delegate_id == entry.row.id and found.revoked_at is None
    return () if is_live else (unmet("delegation_not_found"),)


@about_input
def own_delegation(entry: "DelegationEntry") -> tuple[Unmet, ...]:
    """Who gave it ends it, or an administrator."""
    found = entry.delegation
    is_own = found is not None and found.delegator_id == entry.stamp.actor.user_id
    may = found is None or is_own or Role.ADMIN in entry.roles
    return () if may else (unmet("role", needs=[Role.ADMIN], verb="end_delegation"),)


@about_input
def language_known(entry: "Entry") -> tuple[Unmet, ...]:
    """Pages and messages are written in two languages."""
    said = entry.command.language
    return () if said in LANGUAGES else (unmet("language_unknown", value=said, known=list(LANGUAGES)),)


def user_is_active(entry: Any) -> tuple[Unmet, ...]:
    """Refuse an act on a disabled account."""
    return () if entry.row.status == UserStatus.ACTIVE else (unmet("user_disabled"),)


def user_is_disabled(entry: Any) -> tuple[Unmet, ...]:
    """There is something to enable."""
    return () if entry.row.status == UserStatus.DISABLED else (unmet("user_active"),)


@about_input
def sound_share(entry: "Entry") -> tuple[Unmet, ...]:
    """A share lies between 0 and 10,000 basis points; nobody is tied to itself."""
    command = entry.command
    wrong = not 0 <= command.share_basis_points <= WHOLE_SHARE or command.organisation_id == command.other_id
    return (unmet("tie_wrong", share=command.share_basis_points),) if wrong else ()


@about_input
def sound_pack(entry: "Entry") -> tuple[Unmet, ...]:
    """Refuse a pack that is none, that lint finds fault with, whose hash is another, or, for real work, a bare one."""
    try:
        pack = Pack.model_validate(entry.command.body)
    except ValidationError as error:
        return (unmet("pack_unreadable", problem=str(error.errors()[0]["msg"])),)
    if library.sha256(pack) != entry.command.sha256:
        return (unmet("pack_hash_differs"),)
    if pack.rehearsal_only and entry.is_production:
        return (unmet("pack_for_rehearsals", name=f"{pack.code}@{pack.version}"),)
    problems = faults(pack, rules=frozenset(RULES))
    return (unmet("pack_problems", problems=[str(problem) for problem in problems]),) if problems else ()


def second_editor(entry: "Entry") -> tuple[Unmet, ...]:
    """Nobody publishes what they handed over themselves; for real work, nothing that nobody else handed over.

    What ships with the program was read by others already: a new database begins with it.
    """
    if entry.draft is not None:
        return (unmet("four_eyes"),) if entry.draft.person_id == entry.actor_person_id else ()
    needs = entry.is_production and not library.is_shipped(entry.command.sha256)
    return (unmet("second_editor_needed"),) if needs else ()


@about_input
def version_is_new(entry: "Entry") -> tuple[Unmet, ...]:
    """What is published as a version stays that version; another content needs another one."""
    body = entry.command.body
    return (unmet("version_known", name=f"{body['code']}@{body['version']}"),) if entry.is_known_version else ()


@about_input
def not_handed_over(entry: "Entry") -> tuple[Unmet, ...]:
    """A pack waits for its second editor once."""
    return (unmet("already_exists", field="sha256", value=entry.command.sha256),) if entry.draft is not None else ()


def draft_is_open(entry: "Entry") -> tuple[Unmet, ...]:
    """A draft that was published or given back is over."""
    return () if entry.row.closed_at is None else (unmet("draft_closed"),)
