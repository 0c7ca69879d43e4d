import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import lifecycle.verbs
from cli.binder import BINDINGS
from cli.main import app
from lifecycle.access.commands import (
    AddPasskey,
    AddTotp,
    MakeFeed,
    RemovePasskey,
    RemoveTotp,
    RenewCodes,
    RevokeFeed,
    SetPassword,
    SignIn,
    SignOut,
    SignOutOthers,
    StepUp,
)
from lifecycle.commands import REGISTRY
from lifecycle.deliveries.commands import AddEndpoint, DropMessages, Ping, RetryMessages, RotateSecret
from lifecycle.entrance.commands import (
    AcceptInvitation,
    AskLink,
    Invite,
    LinkIdentity,
    OpenLink,
    RevokeInvitation,
    UnlinkIdentity,
)
from lifecycle.exceptions.commands import ConfirmWayOut, ProposeWayOut
from lifecycle.payouts.adoption import Adopt
from lifecycle.payouts.batches import Abandon, Acknowledge, Doubt, PrepareBatch, Send, Settle
from lifecycle.payouts.commands import Instruct
from lifecycle.payouts.learning import Learn
from lifecycle.payouts.quarantine import QuarantineFile
from lifecycle.payouts.statements import ComparePosition, CompleteStatement, TakeLines, TakeStatement
from lifecycle.payouts.taking_back import TakeBack
from lifecycle.payouts.write_off import WriteOff
from lifecycle.people.commands import (
    AddToken,
    ProposeStandard,
    PublishStandard,
    RevokeToken,
    SetLanguage,
    WithdrawStandard,
)
from lifecycle.projects.registration import ImportProject, UpdateImported
from lifecycle.requirements.commands import AddEvidence, RefreshVerdicts
from lifecycle.schedules.commands import PauseSchedule, RequestRun, ResumeSchedule
from lifecycle.trials.commands import ReachStopLoss
from tests.cli.conftest import Line, Said
from tests.conftest import ROOT

HEAVY = ("sqlmodel", "sqlalchemy", "prefect", "rich", "statemachine")


class TestHelp:
    @pytest.mark.parametrize("arguments", [["--help"], ["project", "--help"], ["review", "--help"]])
    def test_imports_nothing_heavy(self, arguments: list[str]) -> None:
        """What answers at once cannot have loaded the database's libraries; a time would depend on the machine."""
        source = (
            "import sys; from cli.main import run; code = run(sys.argv[1:]);"
            f"print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
        )

        done = subprocess.run(
            [sys.executable, "-c", source, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )

        assert done.stderr.strip() == "0 []"
        assert "Usage: pilotway" in done.stdout

    def test_is_there_for_every_command(self, line: Line) -> None:
        silent = [path for path in commands() if line(*path, "--help").code != 0]

        assert not silent
        assert len(list(commands())) > 60

    @pytest.mark.parametrize("verb", ["stop", "withdraw"])
    def test_is_there_in_a_process_that_knows_no_later_room(self, verb: str) -> None:
        """Money has a word where a project ends: the verb is registered there, not beside its command."""
        program = [sys.executable, "-m", "cli.main", "project", verb, "--help"]

        done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

        assert (done.returncode, done.stderr) == (0, "")

    def test_says_what_every_option_of_a_verb_means(self) -> None:
        dumb = {
            (binding.path, one.name) for binding in BINDINGS for one in binding.asked() if not binding.help_of(one.name)
        }

        assert not dumb


class TestVerbs:
    def test_all_have_a_command(self) -> None:
        """Where a command is written by hand, or no person gives it, it is named here."""
        assert lifecycle.verbs.BY_NAME
        ways_out = {AddEndpoint, RotateSecret, Ping, RetryMessages, DropMessages}
        ways_out |= {PauseSchedule, ResumeSchedule, RequestRun}
        by_hand = {
            AddEvidence,
            AddToken,
            ProposeStandard,
            PublishStandard,
            WithdrawStandard,
            ImportProject,
            UpdateImported,
            *ways_out,
        }
        of_cases = {ProposeWayOut, ConfirmWayOut}
        of_files = {TakeStatement, TakeLines, CompleteStatement, ComparePosition, QuarantineFile}
        by_the_bank = {Learn, Send, TakeBack, Doubt, Acknowledge, Settle, *of_files}
        by_the_clock = {ReachStopLoss, RefreshVerdicts, Instruct, PrepareBatch, *by_the_bank}
        at_the_doors = {RevokeToken, SetPassword, SetLanguage, SignIn, SignOut, SignOutOthers, StepUp}
        at_the_doors |= {AddTotp, RemoveTotp, AddPasskey, RemovePasskey, RenewCodes, MakeFeed, RevokeFeed}
        at_the_doors |= {LinkIdentity, UnlinkIdentity, Invite, AcceptInvitation, OpenLink, RevokeInvitation, AskLink}
        not_by_hand = {*by_the_clock, *at_the_doors, Abandon, Adopt, WriteOff}

        assert set(REGISTRY) - {binding.command for binding in BINDINGS} == by_hand | of_cases | not_by_hand


class TestUsage:
    def test_of_an_unknown_command_ends_with_2_and_a_suggestion(self, line: Line) -> None:
        said = line("projekt")

        assert said.code == 2
        assert "project" in said.err
        assert not said.out

    def test_is_a_document_with_json(self, line: Line) -> None:
        said = line("gate", "check", "--json")

        assert said.code == 2
        assert said.document["error"]["code"] == "usage"

    def test_of_an_unknown_setting_ends_with_2_and_names_it(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PILOTWAY_DATABASE", "x")

        said = line("project", "list", "--json")

        assert said.code == 2
        assert "PILOTWAY_DATABASE" in said.document["error"]["detail"]

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("PILOTWAY_FOO", "1"),
            ("PILOTWAY_CLOCK", "noon"),
            ("PILOTWAY_DB", "mysql://host/db"),
            ("PILOTWAY_DB", ":memory:"),
        ],
    )
    def test_of_a_wrong_setting_ends_with_2_whatever_is_asked(
        self, line: Line, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
    ) -> None:
        monkeypatch.setenv(variable, value)

        for said in (line("version", "--json"), line("project", "list", "--json")):
            assert (said.code, said.document["error"]["code"]) == (2, "settings")
            assert variable in said.document["error"]["detail"]


class TestStreams:
    def test_carry_the_result_on_stdout_and_talk_on_stderr(self, program: Callable[..., Said]) -> None:
        said = program("init", "--mode", "rehearsal", "--json")

        assert said.code == 0
        assert json.loads(said.out)["mode"] == "rehearsal"
        assert "pilotway init --admin" in said.err

    def test_carry_exactly_one_document_when_something_fails(self, program: Callable[..., Said]) -> None:
        said = program("project", "list", "--json")

        assert said.code == 1
        assert json.loads(said.out)["error"]["code"] == "database_missing"
        assert not said.err

    @pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
    def test_that_know_no_chinese_letters_change_no_exit_code(
        self, line: Line, program: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, encoding: str
    ) -> None:
        monkeypatch.setenv("PYTHONIOENCODING", encoding)
        line("init", "--mode", "rehearsal", "--admin", "root")
        name = "味道智能 🍳"

        said = program("organisation", "add", name, "--kind", "sme", "--as", "root", "--lang", "zh-CN")
        listed = line("organisation", "list", "--json")

        assert said.code == 0, said.err
        assert name in {row["name"] for row in json.loads(listed.out)["data"]}

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
    def test_that_cannot_be_written_end_with_1_and_a_sentence(self, line: Line) -> None:
        source = "from cli.main import main; main()"
        arguments = [sys.executable, "-c", source, "version", "--json"]
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                arguments, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
            )

        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "No space left on device" in done.stderr


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every command."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)
