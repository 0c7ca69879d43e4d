"""What an operator deploys with says what the program does: schemas hold, commands exist, names agree."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import compose_spec
import kubernetes_validate
import pytest
import typer
import yaml

from cli.main import app
from flows.bodies import BODIES
from models.settings import known_variables
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "pilotway.yaml").read_text()))
OWN_PROGRAMS = {"pilotway"}
PREFECT_COMMANDS = {("server", "start"), ("worker", "start")}


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield every command line of ours that a text names, in code blocks and in running text."""
    for block in re.findall(r"`([^`\n]+)`|^\$ (.+)$", text, re.MULTILINE):
        words = shlex.split((block[0] or block[1]).split("&&")[0], comments=True)
        while words and "=" in words[0]:
            words.pop(0)
        if words and Path(words[0]).name in OWN_PROGRAMS and len(words) > 1:
            yield words[1:]


def find(words: list[str]) -> list[str]:
    """Follow the words of a command line into the program; return what is left of them. KeyError: no such command."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    unknown = [word for word in rest if word.startswith("--") and word not in known]
    if unknown:
        raise KeyError(unknown[0])
    return rest


class TestTheGuide:
    @pytest.mark.parametrize("words", [*commands_in((DEPLOY / "README.md").read_text())], ids=" ".join)
    def test_names_commands_that_exist(self, words: list[str]) -> None:
        find(words)

    def test_names_make_targets_and_files_that_exist(self) -> None:
        text = (DEPLOY / "README.md").read_text()
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert set(re.findall(r"`make ([a-z]+)`", text)) <= targets
        named = set(re.findall(r"`((?:deploy|systemd)/[^`*]*)`", text)) - {"deploy/pilotway.env"}
        for path in named:
            base = ROOT if path.startswith("deploy/") else DEPLOY
            assert (base / path).exists(), path


class TestTheOthers:
    @pytest.mark.parametrize("path", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.name)
    def test_a_unit_starts_commands_that_exist(self, path: Path) -> None:
        lines = re.findall(r"^ExecStart(?:Pre|Post)?=(.+)$", path.read_text(), re.MULTILINE)
        assert lines
        for line in lines:
            words = line.split()
            if Path(words[0]).name == "pilotway":
                find(words[1:])
            else:
                assert tuple(words[1:3]) in PREFECT_COMMANDS

    def test_an_alarm_names_commands_that_exist_and_figures_that_are_given(self) -> None:
        text = (DEPLOY / "alerts.yaml").read_text()
        given = set(re.findall(r'name="(pilotway_\w+)"', (ROOT / "flows" / "metrics.py").read_text()))
        rules = yaml.safe_load(text)["groups"][0]["rules"]
        assert len(rules) == len({rule["alert"] for rule in rules})
        for rule in rules:
            assert set(re.findall(r"pilotway_\w+", rule["expr"])) <= given
            for command in rule["annotations"]["look"].split(";"):
                find(shlex.split(command)[1:])

    def test_the_environment_names_variables_that_are_read(self) -> None:
        text = (DEPLOY / "pilotway.env.example").read_text()
        assert set(re.findall(r"^(PILOTWAY_\w+)=", text, re.MULTILINE)) <= known_variables()


class TestSecrets:
    def test_ship_with_no_file(self) -> None:
        """A password that stands in an example is one that many would keep."""
        for path in sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix not in {".pyc", ".md"}):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?i)^\s*-?\s*\w*(password|secret|token)\w*[=:][ \t]*[^\s/{$]", text, re.MULTILINE), (
                path
            )
            assert not re.search(r"://[^/\s:@]+:[^@\s/]+@", text), path


class TestTheImage:
    def test_holds_every_package_and_nothing_that_is_not_delivered(self) -> None:
        text = (DEPLOY / "Dockerfile").read_text()
        built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
        copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
        named = {name for names in copied for name in names}
        assert {name for name in named if (ROOT / name).is_dir()} == set(built["packages"])
        assert all((ROOT / name).exists() for name in named)

    def test_is_built_from_what_it_copies_and_brings_all_that_the_program_reads(self, tmp_path: Path) -> None:
        text = (DEPLOY / "Dockerfile").read_text()
        named = [name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in line.split()]
        for name in named:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, tmp_path / name)
        build = "from hatchling.build import build_wheel; print(build_wheel('.'))"
        made = subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True, check=True)
        held = set(ZipFile(tmp_path / made.stdout.split()[-1]).namelist())
        ours = {name for name in held if ".dist-info/" not in name}
        folders = sorted({name.partition("/")[0] for name in ours})
        assert folders == ["cli", "flows", "lifecycle", "models", "notifications", "web"]
        tracked = subprocess.run(
            [shutil.which("git") or "git", "ls-files", "-co", "--exclude-standard", *folders],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ours == set(tracked.stdout.split())


class TestCompose:
    def test_follows_the_schema(self) -> None:
        text = (DEPLOY / "compose.yaml").read_text()
        document = yaml.safe_load(text)
        assert set(document["services"]) == {"postgres", "init", "prefect", "schedules", "worker", "console"}
        options = compose_spec.PyOptions()
        options.apply_merge = True
        options.from_yaml(text).validate()

    def test_starts_commands_that_exist(self) -> None:
        for name, service in yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].items():
            if name == "postgres":
                continue
            if service.get("entrypoint") == ["prefect"]:
                assert tuple(service["command"][:2]) in PREFECT_COMMANDS
            else:
                find(list(service["command"]))

    def test_publishes_on_the_loopback_address_only(self) -> None:
        for service in yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].values():
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


class TestKubernetes:
    @pytest.mark.parametrize("document", KUBERNETES, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
    def test_follows_the_schema(self, document: dict[str, Any]) -> None:
        kubernetes_validate.validate(document, "1.34", strict=True)

    def test_selects_the_pods_that_it_makes(self) -> None:
        labels = [one["spec"]["template"]["metadata"]["labels"] for one in KUBERNETES if one["kind"] == "Deployment"]
        for one in KUBERNETES:
            if one["kind"] == "Deployment":
                assert one["spec"]["selector"]["matchLabels"] == one["spec"]["template"]["metadata"]["labels"]
            if one["kind"] == "Service":
                assert one["spec"]["selector"] in labels

    def test_starts_commands_that_exist(self) -> None:
        for one in KUBERNETES:
            pod = one["spec"].get("template", {}).get("spec", {})
            for container in (*pod.get("containers", ()), *pod.get("initContainers", ())):
                if "args" in container:
                    find(list(container["args"]))
                else:
                    assert tuple(container["command"][1:3]) in PREFECT_COMMANDS


class TestPrefectFile:
    @pytest.mark.slow  # importing Prefect takes seconds
    def test_names_a_flow_of_ours_for_each_schedule_with_a_body(self) -> None:
        from flows import prefect_flows  # noqa: PLC0415

        document = yaml.safe_load((DEPLOY / "prefect.yaml").read_text())
        assert {one["name"] for one in document["deployments"]} == set(BODIES)
        for one in document["deployments"]:
            module, _, name = one["entrypoint"].rpartition(".")
            assert module == prefect_flows.__name__
            assert getattr(prefect_flows, name).name == one["name"]
