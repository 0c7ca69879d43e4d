"""Which role may which verb, through which doors, and where each role is held (rule book 1.4)."""

from collections.abc import Mapping

from models.states import Role

PARTIES_OF_ROLE: Mapping[Role, tuple[str, ...]] = {
    Role.PROJECT_LEAD: ("sme",),
    Role.FINANCE_OFFICER: ("sme",),
    Role.PROCESS_ENGINEER: ("sme",),
    Role.COORDINATOR: ("platform",),
    Role.TECHNICAL_MANAGER: ("platform",),
    Role.LAB_LEAD: ("platform",),
    Role.QUALITY_ENGINEER: ("platform",),
    Role.EHS_OFFICER: ("platform",),
    Role.RECEIVER_LEAD: ("receiver",),
    Role.CERTIFIER: ("funder", "platform"),
    Role.FUND_MANAGER: ("funder",),
    Role.FUND_DIRECTOR: ("funder",),
    Role.PAYER: ("funder",),
    Role.ACCOUNTANT: ("funder",),
    Role.SPONSOR: ("programme",),
    Role.STANDARD_EDITOR: ("programme", "platform"),
}
"""Column "belongs to" of the role table. Experts, chairs, customers and auditors reach what they were named for."""

NAMED_ROLES = frozenset({Role.EXPERT, Role.PANEL_CHAIR, Role.CUSTOMER_REP, Role.AUDITOR})

OF_THE_FIRM = frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER, Role.PROCESS_ENGINEER})
_RECORDERS = frozenset({Role.PROCESS_ENGINEER, Role.PROJECT_LEAD, Role.LAB_LEAD})
_ANY_PARTY = OF_THE_FIRM | {
    Role.COORDINATOR,
    Role.LAB_LEAD,
    Role.QUALITY_ENGINEER,
    Role.EHS_OFFICER,
    Role.TECHNICAL_MANAGER,
    Role.RECEIVER_LEAD,
    Role.CUSTOMER_REP,
    Role.FUND_MANAGER,
}
_IMPORTERS = frozenset({Role.COORDINATOR, Role.OPERATOR, Role.ADMIN})
"""Who brings a portfolio in also enters the firms that it names, and completes and corrects what it lacked."""
_JUDGES = frozenset(Role) - {Role.OPERATOR, Role.ADMIN, Role.AUDITOR}
_SEATS = frozenset(
    {Role.EXPERT, Role.PANEL_CHAIR, Role.CUSTOMER_REP, Role.RECEIVER_LEAD, Role.QUALITY_ENGINEER, Role.LAB_LEAD}
)

_OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
_BANK = frozenset({Role.ACCOUNTANT, Role.OPERATOR, Role.PAYER, Role.FUND_MANAGER, Role.FUND_DIRECTOR})
_APPROVERS = frozenset({Role.FUND_MANAGER, Role.FUND_DIRECTOR})

DELEGABLE = frozenset({Role.CERTIFIER, Role.PAYER}) | _APPROVERS
"""Roles in which somebody may stand in: each of their words on a payout says for whom it is given."""

PERMISSIONS: Mapping[str, frozenset[Role]] = {
    "project.register": frozenset({Role.PROJECT_LEAD, Role.COORDINATOR}),
    "project.import": _IMPORTERS,
    "project.update_imported": _IMPORTERS,
    "project.refresh": frozenset({Role.OPERATOR, Role.ADMIN}),
    "project.reach_stop_loss": frozenset({Role.OPERATOR, Role.ADMIN}),
    "project.submit": frozenset({Role.PROJECT_LEAD}),
    "project.plan_panel": frozenset({Role.COORDINATOR}),
    "project.advance": frozenset({Role.COORDINATOR}),
    "project.recycle": frozenset({Role.COORDINATOR}),
    "project.transfer": frozenset({Role.COORDINATOR}),
    "project.accept_transfer": frozenset({Role.COORDINATOR}),
    "project.hold": frozenset({Role.COORDINATOR, Role.EHS_OFFICER, Role.SPONSOR}),
    "project.extend_hold": frozenset({Role.COORDINATOR, Role.SPONSOR}),
    "project.resume": frozenset({Role.COORDINATOR, Role.EHS_OFFICER, Role.SPONSOR, Role.PANEL_CHAIR}),
    "project.withdraw": frozenset({Role.PROJECT_LEAD}),
    "project.stop": frozenset({Role.FUND_MANAGER, Role.SPONSOR}),
    "project.assign": frozenset({Role.COORDINATOR}),
    "project.unassign": frozenset({Role.COORDINATOR}),
    "project.correct": frozenset({Role.COORDINATOR}),
    "project.name_party": _IMPORTERS,
    "requirement.judge": _JUDGES,
    "requirement.waive": frozenset({Role.PANEL_CHAIR, Role.EXPERT, Role.RECEIVER_LEAD}),
    "requirement.confirm_waiver": _JUDGES,
    "requirement.reopen": frozenset({Role.COORDINATOR, Role.QUALITY_ENGINEER, Role.SPONSOR}),
    "evidence.add": _ANY_PARTY | {Role.PAYER, Role.ACCOUNTANT},
    "evidence.withdraw": _ANY_PARTY,
    "claim.add": frozenset({Role.PROJECT_LEAD, Role.PROCESS_ENGINEER}),
    "claim.add_all": frozenset({Role.PROJECT_LEAD, Role.PROCESS_ENGINEER}),
    "revision.freeze": frozenset({Role.PROCESS_ENGINEER, Role.PROJECT_LEAD}),
    "characteristic.add": _RECORDERS | {Role.QUALITY_ENGINEER},
    "trial_batch.add": _RECORDERS,
    "trial_batch.correct": _RECORDERS,
    "trial_batch.close": _RECORDERS,
    "trial_batch.measure": _RECORDERS | {Role.QUALITY_ENGINEER},
    "trial_batch.correct_measurement": _RECORDERS | {Role.QUALITY_ENGINEER},
    "issue.add": _RECORDERS | {Role.COORDINATOR, Role.QUALITY_ENGINEER, Role.EHS_OFFICER},
    "issue.close": _RECORDERS | {Role.COORDINATOR, Role.QUALITY_ENGINEER, Role.EHS_OFFICER},
    "track.start": frozenset({Role.LAB_LEAD, Role.COORDINATOR}),
    "track.finish": frozenset({Role.LAB_LEAD, Role.QUALITY_ENGINEER}),
    "scenario.record": frozenset({Role.PROJECT_LEAD, Role.PROCESS_ENGINEER, Role.COORDINATOR}),
    "order.record": frozenset({Role.PROJECT_LEAD, Role.COORDINATOR}),
    "notice.issue": frozenset({Role.COORDINATOR}),
    "notice.answer": frozenset({Role.PROJECT_LEAD}),
    "review.call": frozenset({Role.COORDINATOR}),
    "review.open": frozenset({Role.COORDINATOR, Role.PANEL_CHAIR}),
    "review.recuse": _SEATS,
    "review.score": _SEATS,
    "review.propose": frozenset({Role.PANEL_CHAIR, Role.EXPERT}),
    "review.decide": frozenset({Role.PANEL_CHAIR, Role.EXPERT}),
    "review.reopen": frozenset({Role.COORDINATOR, Role.PANEL_CHAIR}),
    "review.cancel": frozenset({Role.COORDINATOR}),
    "review.object": frozenset({Role.COORDINATOR, Role.PROJECT_LEAD}),
    "review.answer_objection": frozenset({Role.PANEL_CHAIR, Role.SPONSOR}),
    "payout.request": frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER}),
    "payout.settle": frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER}),
    "payout.amend": frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER}),
    "payout.cancel": frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER}),
    "payout.certify": frozenset({Role.CERTIFIER}),
    "payout.approve": _APPROVERS,
    "payout.reapprove": _APPROVERS,
    "payout.reject": _APPROVERS,
    "payout.send_back": _APPROVERS,
    "payout.release": frozenset({Role.PAYER}),
    "payout.instruct": frozenset({Role.PAYER}),
    "payout.learn": _BANK,
    "exception.propose": frozenset({Role.ACCOUNTANT, Role.FUND_MANAGER}),
    "exception.confirm": frozenset({Role.ACCOUNTANT, Role.FUND_MANAGER, Role.FUND_DIRECTOR}),
    "statement.write_off": frozenset({Role.ACCOUNTANT, Role.FUND_MANAGER, Role.FUND_DIRECTOR}),
    "statement.quarantine": frozenset({Role.ACCOUNTANT, Role.OPERATOR}),
    "statement.take": frozenset({Role.ACCOUNTANT, Role.OPERATOR}),
    "statement.take_lines": frozenset({Role.ACCOUNTANT, Role.OPERATOR}),
    "statement.compare": frozenset({Role.ACCOUNTANT, Role.OPERATOR}),
    "statement.complete": frozenset({Role.ACCOUNTANT, Role.OPERATOR}),
    "batch.prepare": frozenset({Role.PAYER}),
    "batch.send": _BANK,
    "batch.doubt": _BANK,
    "batch.find": _BANK,
    "batch.acknowledge": _BANK,
    "batch.settle": _BANK,
    "batch.take_back": frozenset({Role.PAYER}),
    "payout.adopt": frozenset({Role.ACCOUNTANT, Role.FUND_MANAGER, Role.FUND_DIRECTOR}),
    "batch.abandon": frozenset({Role.ACCOUNTANT, Role.FUND_MANAGER, Role.FUND_DIRECTOR}),
    "payee_account.propose": frozenset({Role.FINANCE_OFFICER}),
    "payee_account.confirm": frozenset({Role.ACCOUNTANT, Role.FUND_MANAGER}),
    "payee_account.retire": frozenset({Role.ACCOUNTANT, Role.FUND_MANAGER}),
    "fund.add": frozenset({Role.SPONSOR, Role.ADMIN}),
    "fund.resize": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR}),
    "fund.commit": frozenset({Role.ACCOUNTANT, Role.FUND_DIRECTOR, Role.SPONSOR}),
    "fund.amend_commitment": frozenset({Role.ACCOUNTANT, Role.FUND_DIRECTOR, Role.SPONSOR}),
    "fund.call": frozenset({Role.ACCOUNTANT, Role.FUND_DIRECTOR}),
    "fund.cancel_call": frozenset({Role.ACCOUNTANT, Role.FUND_DIRECTOR}),
    "fund.correct": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR}),
    "fund.contribute": frozenset({Role.ACCOUNTANT}),
    "fund.hold": frozenset({Role.FUND_DIRECTOR, Role.ACCOUNTANT}),
    "fund.resume": frozenset({Role.FUND_DIRECTOR, Role.ACCOUNTANT}),
    "fund.set_tiers": frozenset({Role.SPONSOR}),
    "fund.set_limit": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR}),
    "fund.close": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR}),
    "agreement.draft": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR, Role.FUND_MANAGER}),
    "agreement.sign": frozenset({Role.PROJECT_LEAD, Role.SPONSOR}),
    "agreement.supplement": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR, Role.FUND_MANAGER}),
    "agreement.accept_audit": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR}),
    "agreement.close": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR, Role.FUND_MANAGER}),
    "agreement.settle": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR, Role.FUND_MANAGER}),
    "recovery.order": _APPROVERS,
    "recovery.repay": frozenset({Role.ACCOUNTANT}) | _APPROVERS,
    "recovery.set_off": _APPROVERS,
    "recovery.write_off": _APPROVERS,
    "cost.submit": frozenset({Role.FINANCE_OFFICER, Role.PROJECT_LEAD}),
    "cost.verify": frozenset({Role.CERTIFIER}),
    "milestone.submit": frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER}),
    "milestone.accept": frozenset({Role.COORDINATOR, Role.CERTIFIER}),
    "milestone.announce": frozenset({Role.COORDINATOR}),
    "milestone.reject": frozenset({Role.COORDINATOR, Role.CERTIFIER}),
    "milestone.waive": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR}),
    "organisation.add": _IMPORTERS,
    "organisation.correct": _IMPORTERS,
    "organisation.tie": frozenset({Role.ADMIN, Role.COORDINATOR}),
    "programme.add": frozenset({Role.ADMIN, Role.SPONSOR}),
    "standard.publish": frozenset({Role.STANDARD_EDITOR, Role.ADMIN}),
    "standard_draft.propose": frozenset({Role.STANDARD_EDITOR, Role.ADMIN}),
    "standard_draft.withdraw": frozenset({Role.STANDARD_EDITOR, Role.ADMIN}),
    "calendar.override": frozenset({Role.ADMIN}),
    "calendar.announce": frozenset({Role.ADMIN}),
    "disbursement.freeze": frozenset({Role.OPERATOR, Role.ACCOUNTANT, Role.FUND_DIRECTOR}),
    "disbursement.lift": frozenset({Role.ACCOUNTANT, Role.FUND_DIRECTOR}),
    "user.add": frozenset({Role.ADMIN}),
    "user.grant": frozenset({Role.ADMIN}),
    "user.revoke": frozenset({Role.ADMIN}),
    "user.disable": frozenset({Role.ADMIN}),
    "user.enable": frozenset({Role.ADMIN}),
    "user.add_token": frozenset({Role.ADMIN}),
    "user.revoke_token": frozenset({Role.ADMIN}),
    "user.set_password": frozenset({Role.ADMIN}),
    "user.sign_in": frozenset(),
    "user.sign_out": frozenset({Role.ADMIN}),
    "user.sign_out_others": frozenset(),
    "user.step_up": frozenset(),
    "user.set_language": frozenset(),
    "user.add_totp": frozenset(),
    "user.remove_totp": frozenset(),
    "user.add_passkey": frozenset(),
    "user.remove_passkey": frozenset(),
    "user.renew_codes": frozenset(),
    "user.reset_access": frozenset({Role.ADMIN}),
    "user.make_feed": frozenset(),
    "user.revoke_feed": frozenset(),
    "user.link_identity": frozenset(),
    "user.unlink_identity": frozenset({Role.ADMIN}),
    "invitation.send": frozenset({Role.ADMIN, Role.COORDINATOR}),
    "invitation.revoke": frozenset({Role.ADMIN, Role.COORDINATOR}),
    "invitation.ask_link": frozenset({Role.ADMIN}),
    "invitation.accept": frozenset(),
    "invitation.open": frozenset(),
    "user.delegate": DELEGABLE,
    "user.end_delegation": DELEGABLE | {Role.ADMIN},
    "webhook.add": frozenset({Role.ADMIN}),
    "webhook.rotate": frozenset({Role.ADMIN}),
    "webhook.end_rotation": frozenset({Role.ADMIN}),
    "webhook.disable": _OPERATORS,
    "webhook.enable": _OPERATORS,
    "webhook.ping": _OPERATORS,
    "webhook.replay": _OPERATORS,
    "outbox.retry": _OPERATORS,
    "outbox.drop": _OPERATORS,
    "schedule.pause": _OPERATORS,
    "schedule.resume": _OPERATORS,
    "schedule.request": _OPERATORS,
}
"""Which roles may call a verb. What a verb needs besides stands in its chart and rules."""


BY_PEOPLE = frozenset(
    {
        "evidence.add",
        "evidence.withdraw",
        "requirement.judge",
        "requirement.waive",
        "requirement.confirm_waiver",
        "claim.add",
        "claim.add_all",
        "revision.freeze",
        "trial_batch.add",
        "trial_batch.correct",
        "trial_batch.close",
        "trial_batch.measure",
        "trial_batch.correct_measurement",
        "project.import",
        "payout.request",
        "payout.certify",
        "payout.approve",
        "payout.reapprove",
        "payout.reject",
        "payout.send_back",
        "payout.release",
        "payee_account.propose",
        "payee_account.confirm",
        "exception.propose",
        "exception.confirm",
        "statement.write_off",
        "payout.adopt",
        "batch.abandon",
        "fund.resize",
        "fund.commit",
        "fund.amend_commitment",
        "fund.cancel_call",
        "fund.correct",
        "fund.contribute",
        "fund.resume",
        "fund.set_tiers",
        "fund.set_limit",
        "fund.close",
        "agreement.draft",
        "agreement.sign",
        "agreement.supplement",
        "agreement.accept_audit",
        "agreement.close",
        "agreement.settle",
        "recovery.order",
        "recovery.repay",
        "recovery.set_off",
        "recovery.write_off",
        "payout.settle",
        "cost.submit",
        "cost.verify",
        "milestone.submit",
        "milestone.reject",
        "milestone.waive",
        "disbursement.lift",
        "user.delegate",
        "user.end_delegation",
        "schedule.request",
    }
)
"""What somebody answers for with their name: never done by the clock."""


IN_PERSON = frozenset(
    {
        *("payout.certify", "payout.approve", "payout.reapprove", "payout.release"),
        *("payee_account.confirm", "exception.confirm", "disbursement.lift", "agreement.sign", "agreement.settle"),
        *("fund.contribute", "fund.resume", "fund.set_tiers", "fund.set_limit", "fund.resize", "fund.close"),
        *("fund.correct", "fund.commit", "fund.amend_commitment", "fund.cancel_call"),
        *("recovery.order", "recovery.repay", "recovery.set_off", "recovery.write_off"),
    }
)
"""Decisions about money: who makes one is there, and has just proven who they are; never a program with a token."""


BY_NO_PROGRAM = IN_PERSON | {
    *("user.add_token", "user.set_password", "user.add_totp", "user.remove_totp", "user.add_passkey"),
    *("user.remove_passkey", "user.renew_codes", "user.link_identity", "user.make_feed", "invitation.send"),
}
"""What a token is not enough for: money, and whatever would outlive the token itself."""


OF_ONESELF = frozenset(
    {
        *("user.set_password", "user.sign_in", "user.sign_out", "user.sign_out_others", "user.step_up"),
        *("user.add_totp", "user.remove_totp", "user.add_passkey", "user.remove_passkey", "user.renew_codes"),
        *("user.link_identity", "user.unlink_identity", "invitation.accept", "invitation.open"),
        *("user.revoke_token", "user.set_language", "user.make_feed", "user.revoke_feed"),
    }
)
"""What everybody may do with their own account, whatever their roles; nobody but who is listed above with another's."""

BY_LINK = frozenset({"invitation.accept", "invitation.open"})
"""Of oneself, too: whom a link was sent to uses it, also before the account is there; the verb compares the link."""

ON_OWN_PAGE = frozenset(
    {
        "project.submit",
        "evidence.add",
        "evidence.withdraw",
        "claim.add",
        "claim.add_all",
        "revision.freeze",
        "characteristic.add",
        "trial_batch.add",
        "trial_batch.correct",
        "trial_batch.close",
        "trial_batch.measure",
        "trial_batch.correct_measurement",
        "issue.add",
        "issue.close",
        "scenario.record",
        "order.record",
        "notice.answer",
        "user.sign_out",
    }
)
"""What a link from a mail lets somebody do: hand in and record for the firm. Neither money nor the end of a project:
a mailbox alone is too little for those."""
