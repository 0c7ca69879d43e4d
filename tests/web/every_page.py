"""Every page of the console: who looks at it, and how an example is found in the demonstration.

The list follows from the routes. A page without parameters is on it by itself; of one with parameters `EXAMPLES` says
which thing of the demonstration is looked at, for all addresses that begin alike; `LOOKERS` says who looks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi.routing import APIRoute
from sqlalchemy import Connection, text

from lifecycle.entrance.links import secret_of, token_of
from models.settings import Settings
from web.app import PAGES
from web.nouns import NOUNS, Noun

NO_PAGES: Mapping[str, str] = {
    "/static/{name}": "a file that ships with the console",
    "/healthz": "for machines",
    "/calendar/{token}.ics": "for calendar programs",
    "/inbox/count": "the number in the bar of every page",
    "/readyz": "for machines",
    "/admin": "leads to the list of people",
    "/": "leads to the first page of whoever comes",
    "/disbursement": "leads to the one page there is of it",
    "/login/oidc": "leads to the identity provider, of which the demonstration has none",
    "/login/oidc/back": "where the identity provider leads back to",
    "/users/{ref}/identities/{identity}/end": "asks about a single sign-on, of which the demonstration has none",
    "/projects/{ref}/next": "leads to the page of what somebody may do next",
    "/standard-drafts/{ref}/yaml": "a file to keep",
    "/import/template.xlsx": "a workbook to fill in",
    "/import/{sha256}/columns": "belongs to the session that sent the file: among the `STATES`",
    "/import/{sha256}/errors.csv": "a file to keep",
    "/import/{sha256}/marked.xlsx": "a workbook to keep",
    "/bank/taken/{sha256}": "belongs to the session that sent the file: `test_bank`",
    "/projects/{ref}/batch-table.xlsx": "a workbook to fill in",
    "/projects/{ref}/batch-table/{sha256}": "belongs to the session that sent the file: among the `STATES`",
    "/projects/{ref}/batch-table/{sha256}/marked.xlsx": "a workbook to keep",
    "/evidence/{ref}/file": "what somebody handed in",
    "/payouts/{ref}/do/{name}": "leads to the decision on the page of the payout, or is the page of any verb",
    "/exceptions/{ref}/file": "the letter that a proposal rests on",
    "/exceptions/{ref}/do/{name}": "leads to the page of the case",
    "/security/passkeys/{key_id}/remove": "asks about a passkey, of which the demonstration has none",
    "/users/{ref}/do/revoke": "leads to the page of the user",
    "/users/{ref}/do/revoke-token": "leads to the page of the user",
    "/users/{ref}/do/end-delegation": "leads to the page of the user",
    "/import/{sha256}": "belongs to the session that sent the file: among the `STATES` of `tests.web.walking`",
}
DOWNLOAD = ".{form}"
"""Lists as files: JSON, CSV, workbooks."""

STEERS = "coordinator"
LOOKERS: Mapping[str, str | None] = {
    "/login": None,
    "/invite": None,
    "/link": None,
    "/disbursement": "zhou",
    "/standard-drafts": "gao",
    "/my": "sme",
    "/payouts": "chen",
    "/funds": "chen",
    "/funds/new": "admin",
    "/delegations": "chen",
    "/agreements": "chen",
    "/milestones": "chen",
    "/costs": "chen",
    "/recoveries": "chen",
    "/payees": "chen",
    "/organisations/{ref}/accounts": "chen",
    "/bank": "qian",
    "/payment-batches": "qian",
    "/statements": "tian",
    "/exceptions": "tian",
    "/ops": "operator",
    "/ops/webhooks/new": "admin",
    "/webhooks": "operator",
    "/webhooks/{ref}/do/rotate": "admin",
    "/admin": "admin",
    "/users": "admin",
    "/organisations": "admin",
    "/calendars": "admin",
    "/audit": "admin",
}
"""Begin of addresses -> who looks there; the longest one counts, and a coordinator at all others."""

ROBOT = "'PT-2025-0014'"
_OF_ROBOT = f"project_id = (SELECT id FROM project WHERE number = {ROBOT})"
EXAMPLES: Mapping[str, str] = {
    "/problems/{code}": "SELECT 'not-found' AS code",
    "/invite/{token}": "SELECT id AS token FROM invitation WHERE kind = 'invitation' ORDER BY created_at",
    "/link/{token}": "SELECT id AS token FROM invitation WHERE kind = 'own_page' ORDER BY created_at",
    "/admin/invitations/{ref}/revoke": "SELECT id AS ref FROM invitation WHERE kind = 'invitation' ORDER BY created_at",
    "/disbursement/{ref}": "SELECT 'all' AS ref",
    "/api/{tag}": "SELECT 'payouts' AS tag",
    "/api/{tag}/{name}": "SELECT 'payouts' AS tag, 'post_payouts_ref_commands_approve' AS name",
    "/standard-drafts/{ref}": "SELECT id AS ref FROM standard_draft ORDER BY proposed_at",
    "/my/{ref}": f"SELECT {ROBOT} AS ref",
    "/my/{ref}/notice/{number}": (
        "SELECT p.number AS ref, n.number FROM completion_notice n JOIN project p ON p.id = n.project_id"
        f" ORDER BY p.number = {ROBOT} DESC, p.number, n.number"
    ),
    "/projects/{ref}": f"SELECT {ROBOT} AS ref",
    "/projects/{ref}/gate/{clause}": f"SELECT {ROBOT} AS ref, 'G3.4' AS clause",
    "/projects/{ref}/batches/{number}": f"SELECT {ROBOT} AS ref, number FROM trial_batch WHERE {_OF_ROBOT} ORDER BY 2",
    "/projects/{ref}/do/evidence-add": f"SELECT {ROBOT} AS ref, 'batch_record' AS \"?type\"",
    "/evidence/{ref}": f"SELECT id AS ref FROM evidence WHERE {_OF_ROBOT} ORDER BY at DESC, type",
    "/reviews/{ref}": f"SELECT id AS ref FROM review WHERE {_OF_ROBOT} ORDER BY gate DESC, call_no DESC",
    "/payouts/{ref}": "SELECT number AS ref FROM payout WHERE state = 'requested' ORDER BY number",
    "/payouts/together": "SELECT id AS \"?ids\", 'approve' AS \"?word\" FROM payout WHERE state = 'requested'",
    "/payouts/together/done": "SELECT id AS \"?id\", 'approve' AS \"?word\" FROM payout WHERE state = 'instructed'",
    "/funds/{code}": "SELECT code FROM fund",
    "/agreements/{ref}": "SELECT number AS ref FROM agreement ORDER BY number",
    "/milestones/{ref}": "SELECT id AS ref FROM milestone ORDER BY agreement_id, number",
    "/costs/{ref}": "SELECT id AS ref FROM cost_statement ORDER BY id",
    "/recoveries/{ref}": "SELECT number AS ref FROM recovery_order",
    "/payees/{ref}": "SELECT id AS ref FROM payee_account ORDER BY id",
    "/organisations/{ref}": (
        "SELECT g.organisation_id AS ref FROM role_grant g JOIN app_user u ON u.id = g.user_id WHERE u.login = 'lin'"
    ),
    "/payment-batches/{ref}": "SELECT number AS ref FROM payment_batch ORDER BY number DESC",
    "/statements/{ref}": "SELECT id AS ref FROM bank_statement ORDER BY at DESC",
    "/exceptions/{ref}": "SELECT id AS ref FROM exception_case ORDER BY opened_at DESC",
    "/admin/{kind}/new": "SELECT 'people' AS kind",
    "/calendars/{ref}": "SELECT 'working-days' AS ref",
    "/users/{ref}": "SELECT 'chen' AS ref",
    "/users/{ref}/do/{verb}/{row_id}": (
        "SELECT 'sme' AS ref, 'revoke' AS verb, id AS row_id FROM role_grant"
        " WHERE user_id = (SELECT id FROM app_user WHERE login = 'sme')"
    ),
    "/ops/schedules/{name}/{verb}": "SELECT 'reminders' AS name, 'pause' AS verb",
    "/ops/runs/{run_id}": "SELECT id AS run_id FROM scheduled_run ORDER BY done_count DESC",
    "/webhooks/{ref}": "SELECT id AS ref FROM webhook_endpoint",
    "/standards/{code}/{version}": "SELECT code, pack_version AS version FROM standard_pack WHERE code = 'hardware'",
    "/standards/{code}/diff/{pair}": (
        "SELECT a.code, a.pack_version || '..' || b.pack_version AS pair FROM standard_pack a"
        " JOIN standard_pack b ON b.code = a.code AND b.pack_version > a.pack_version"
    ),
    "/portfolio/reports/{programme}/{period}": (
        "SELECT p.code AS programme, r.period FROM frozen_report r JOIN programme p ON p.id = r.object_id ORDER BY 1"
    ),
    "/platforms/{ref}": "SELECT platform_id AS ref FROM project WHERE platform_id IS NOT NULL",
    "/receipts/{command_id}": (
        "SELECT command_id FROM command_record c JOIN app_user u ON u.id = c.actor_id"
        " WHERE u.login = 'coordinator' AND c.verb = 'project.advance' ORDER BY at DESC"
    ),
}
"""Begin of addresses -> what stands in them: the first row, by the names of their parameters, `?name` in the query."""

FORMS: Sequence[tuple[str, str, str, str]] = (
    *(("sme", "projects", "PT-2025-0014", verb) for verb in ("trial-batch-add", "claim-add-all", "revision-freeze")),
    *(("sme", "projects", "PT-2025-0014", verb) for verb in ("notice-answer", "trial-batch-correct", "withdraw")),
    *(("coordinator", "projects", "PT-2025-0014", verb) for verb in ("advance", "recycle", "transfer")),
    *(("coordinator", "projects", "PT-2024-0009", verb) for verb in ("advance", "requirement-judge", "hold", "assign")),
    *(("coordinator", "projects", "PT-2024-0009", verb) for verb in ("scenario-record", "issue-add", "order-record")),
    ("wang", "projects", "PT-2024-0009", "trial-batch-measure"),
    ("operator", "webhooks", "", "replay"),
    ("admin", "users", "chen", "grant"),
    ("zhou", "users", "chen", "delegate"),
    ("lin", "organisations", "", "payee-account-propose"),
    ("admin", "calendars", "", "override"),
    ("admin", "calendars", "", "announce"),
    ("coordinator", "reviews", "", "score"),
    ("chen", "payouts", "", "cancel"),
    *(("zhou", "funds", "ZS-1", verb) for verb in ("agreement-draft", "set-limit", "hold")),
    ("tian", "funds", "ZS-1", "contribute"),
    ("chen", "agreements", "", "supplement"),
    ("chen", "recoveries", "", "set-off"),
)
"""(who, noun, which one or the example, verb): together they have every kind of input, open and closed verbs."""

LEADS = frozenset({"exceptions"})
"""Nouns all of whose verbs lead to their page, where the decision is made."""

ANY_VERB = "/{path}/{ref}/do/{name}"
_PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One page that is looked at."""

    route: str
    path: str
    login: str | None = STEERS
    """None: somebody who is not signed in."""
    status: int = 200

    @property
    def name(self) -> str:
        """How it is called where its pictures are kept."""
        said = self.route if self.route != ANY_VERB else self.path.split("?")[0]
        return re.sub(r"[^a-z0-9]+", "-", re.sub(r"/[0-9a-f-]{32,36}", "", said.lower())).strip("-")


NOT_FOUND = Stop(route="a page that is not there", path="/nowhere", status=404)
NOT_ALLOWED = Stop(route="a page for others", path="/ops", login="sme", status=403)
PROBLEMS: Sequence[Stop] = (NOT_FOUND, NOT_ALLOWED)


def routes() -> list[str]:
    """Return the address of every page of the console, in its order."""
    known = [route for router in PAGES for route in router.routes if isinstance(route, APIRoute)]
    found = dict.fromkeys(route.path for route in known if "GET" in (route.methods or ()))
    return [path for path in found if path not in NO_PAGES and not path.endswith(DOWNLOAD)]


def stops(connection: Connection) -> list[Stop]:
    """Return every page with an example, the pages of many verbs, and pages of what is not possible.

    LookupError names what nobody said an example for, or what the demonstration has none of.
    """
    found = [example(route, connection) for route in routes() if route != ANY_VERB]
    return [*found, *forms(connection), *PROBLEMS]


def example(route: str, connection: Connection) -> Stop:
    """Return one page to look at."""
    login = _longest(LOOKERS, route)
    wanted = parameters(route)
    begin = example_of(route)
    if begin is None:
        if wanted:
            raise LookupError(f"{route}: say in EXAMPLES of {__name__} how an example of it is found")
        return Stop(route=route, path=route, login=STEERS if login is _UNSAID else login)
    found = connection.execute(text(EXAMPLES[begin])).mappings().first()
    if found is None:
        raise LookupError(f"{route}: the demonstration has no row for {EXAMPLES[begin]!r}")
    row = dict(found)
    if missing := wanted - set(row):
        raise LookupError(f"{route}: the example of {begin} says nothing about {sorted(missing)}")
    if "token" in wanted:
        row["token"] = _sent(connection, UUID(str(row["token"])))
    path = _PARAMETER.sub(lambda one: quote(str(row[one[1]]), safe=""), route)
    query = "&".join(f"{name[1:]}={quote(str(value))}" for name, value in row.items() if name.startswith("?"))
    query = query if begin == route else ""
    return Stop(route=route, path=f"{path}?{query}" if query else path, login=STEERS if login is _UNSAID else login)


def _sent(connection: Connection, invitation_id: UUID) -> str:
    """Return what the link in a mail of the demonstration ends in."""
    database_id = str(connection.execute(text("SELECT database_id FROM installation")).scalar_one())
    secret = secret_of(Settings(), database_id=database_id, is_rehearsal=True)
    if secret is None:
        raise LookupError("the demonstration has no key that links follow from")
    return token_of(secret, invitation_id)


def forms(connection: Connection) -> Iterator[Stop]:
    """Yield the pages of the verbs in `FORMS`, and of the first verb of each noun that none of these is about."""
    named = {noun for _, noun, _, _ in FORMS}
    others = ((str(example(_address(noun), connection).login), noun.path, "", _first(noun)) for noun in NOUNS.values())
    for login, path, ref, verb in (*FORMS, *(one for one in others if one[1] not in named | LEADS and one[3])):
        page = f"/{path}/{ref}" if ref else example(_address(NOUNS[path]), connection).path
        yield Stop(route=ANY_VERB, path=f"{page}/do/{verb}", login=login)


def _address(noun: Noun) -> str:
    return f"/{noun.path}/{{{'code' if noun.path == 'funds' else 'ref'}}}"


def _first(noun: Noun) -> str:
    return next((noun.spoken(verb) for verb in noun.verbs), "")


def parameters(route: str) -> set[str]:
    """Return the names of what stands in an address."""
    return set(_PARAMETER.findall(route))


def example_of(route: str) -> str | None:
    """Return the begin of addresses whose example fits, or None."""
    return _longest_key(EXAMPLES, route)


_UNSAID = "nobody said"


def _longest(known: Mapping[str, str | None], route: str) -> str | None:
    key = _longest_key(known, route)
    return _UNSAID if key is None else known[key]


def _longest_key(known: Mapping[str, Any], route: str) -> str | None:
    fits = [begin for begin in known if route == begin or route.startswith(f"{begin}/")]
    return max(fits, key=len, default=None)
