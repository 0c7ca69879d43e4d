"""Documents by the browser: handed in, judged, shown; what tries to deceive is refused and changes nothing."""

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from openpyxl import Workbook

from lifecycle.projects.registration import RegisterProject
from lifecycle.standards import library
from models.states import ProjectState
from notifications.gates import parameter
from notifications.words import is_known
from tests.factories import House, hand_in, ids_of, key, projects
from tests.web.browser import Browser
from tests.web.conftest import console_of, sign_in
from web.pages.papers import by_gate

SAME = {"sec-fetch-site": "same-origin"}
PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def number(house: House, project_id: UUID) -> str:
    """Return what people call a project."""
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(project_id)))


@pytest.fixture
def project(house: House) -> str:
    """Give a project at gate G2 of the lean standard, which asks for a paper and a plan."""
    (made,) = projects(house, stage=ProjectState.FEASIBILITY, pack="lean")
    return number(house, made)


@pytest.fixture
def lead(signed_in: Callable[..., Browser], project: str) -> Browser:
    """Give the firm's lead in front of the form for a paper."""
    visitor = signed_in("project_lead")
    visitor.open(f"/projects/{project}/do/evidence-add?type=paper")
    return visitor


def zipped(*members: tuple[str, bytes]) -> bytes:
    """Return an archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inner in members:
            archive.writestr(name, inner)
    return content.getvalue()


def workbook(sheet: str) -> bytes:
    """Return a workbook with one sheet, as far as it is looked at."""
    parts = (("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>"))
    return zipped(*parts, ("xl/worksheets/sheet1.xml", sheet.encode()))


def png(width: int, height: int) -> bytes:
    """Return a picture that says it has this size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + crc


def with_link() -> bytes:
    """Return an archive in which a member is a symbolic link to a file of the machine."""
    content = io.BytesIO()
    member = zipfile.ZipInfo("report.txt")
    member.create_system, member.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(member, "/etc/passwd")
    return content.getvalue()


BOMB = zipped(("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", b"0" * 30_000_000))
HOSTILE = {
    "a bomb": ("bomb.xlsx", BOMB, "packed more densely"),
    "an archive in an archive": ("all.zip", zipped(("in.zip", zipped(("a.txt", b"a")))), "one archive"),
    "a way out of the archive": ("out.zip", zipped(("../../etc/passwd", b"root")), "member name"),
    "a link out of the archive": ("out.zip", with_link(), "is a link"),
    "a program in an archive": ("run.zip", zipped(("run.exe", b"MZ\x90")), "program"),
    "a macro": ("m.xlsx", zipped(("xl/workbook.xml", b"<a/>"), ("xl/vbaProject.bin", b"x")), "macros"),
    "an entity of another file": (
        "xxe.xlsx",
        workbook('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + SHEET.format("")),
        "document type",
    ),
    "a formula": ("f.xlsx", workbook(SHEET.format('<row><c r="B2"><f>1+1</f></c></row>')), "B2 is a formula"),
    "a formula in a table": ("f.csv", b"name,value\nx,=cmd|' /C calc'!A0\n", "may be a formula"),
    "a picture too large for any memory": ("p.png", png(50_000, 50_000), "50000"),
    "a page that says it is a document": ("p.pdf", b"<html><script>alert(1)</script></html>", "kind of file"),
    "a picture that says it is a document": ("p.pdf", png(10, 10), "does not fit the content"),
    "a document that is an archive too": ("p.pdf", PDF + zipped(("a.txt", b"a")), "also holds an archive"),
    "a program": ("p.pdf", b"MZ\x90\x00\x03", "kind of file"),
    "a drawing with scripts": ("p.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "kind of file"),
    "nothing": ("p.pdf", b"", "empty"),
    "a name that turns around": ("invoice\u202efdp.exe", PDF, "name"),
}


class TestWhatIsOpened:
    def test_is_closed_again_whatever_becomes_of_the_request(self, lead: Browser, project: str) -> None:
        form = next(form for form in lead.page.forms if form.action.endswith("/do/evidence-add"))
        data = dict(form.fields)

        def once(content: bytes) -> list[int]:
            pages = [f"/projects/{project}", "/projects.xlsx", "/projects/PT-1999-9999", "/board?stage=nowhere"]
            files = {"file": ("a.pdf", content)}
            sent = lead.ask("POST", form.action, data={**data, "key": key()}, files=files, headers=SAME)
            return [sent.status_code, *(lead.ask("GET", page, headers=SAME).status_code for page in pages)]

        def open_files() -> int:
            return len(list(Path("/proc/self/fd").iterdir()))

        once(b"MZ no document at all")
        before, codes = open_files(), {code for _ in range(10) for code in once(b"MZ no document at all")}
        assert {200, 404, 422} <= codes
        assert open_files() <= before


class TestHandingIn:
    def test_keeps_the_file_under_its_hash_and_says_so(self, house: House, lead: Browser, tmp_path: Path) -> None:
        page = lead.send("Hand in", v_title="The report", file=("report.pdf", PDF))

        sha256 = hashlib.sha256(PDF).hexdigest()
        assert page.path.startswith("/evidence/")
        assert sha256 in page.text
        assert (tmp_path / "evidence" / sha256[:2] / sha256).read_bytes() == PDF
        assert house.rows("SELECT type, file_name, sha256 FROM evidence") == [("paper", "report.pdf", sha256)]

    def test_gives_the_file_back_as_an_attachment_in_which_nothing_runs(self, house: House, lead: Browser) -> None:
        lead.send("Hand in", v_title="t", file=("报告 “1”.pdf", PDF))
        lead.page.link("Download")

        answer = lead.ask("GET", lead.page.link("Download"))

        assert answer.content == PDF
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E6%8A%A5")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox")

    @pytest.mark.parametrize(
        "name", ['a".pdf', "a;b=c.pdf", "x'y.pdf", "%0d%0aset-cookie.pdf", "../../etc/passwd.pdf", "ａ∕b.pdf"]
    )
    def test_gives_it_back_under_a_name_that_is_no_part_of_a_header_or_path(self, lead: Browser, name: str) -> None:
        lead.send("Hand in", v_title="t", file=(name, PDF))

        said = lead.ask("GET", lead.page.link("Download")).headers["content-disposition"]

        assert re.fullmatch(r"attachment; filename\*=UTF-8''[A-Za-z0-9%._~-]+\.pdf", said)
        assert "/" not in unquote(said.partition("''")[2])

    @pytest.mark.parametrize(("lang", "said"), [("en", "Nothing of the file was kept"), ("zh-CN", "文件未保存")])
    def test_beyond_the_share_of_a_day_is_refused_in_words_and_keeps_nothing(
        self, house: House, visitors: ExitStack, project: str, tmp_path: Path, lang: str, said: str
    ) -> None:
        console = console_of(house, files=tmp_path / "evidence", upload_files=1)
        visitor = visitors.enter_context(Browser(console, lang=lang))
        sign_in(visitor, "project_lead")
        place = f"/projects/{project}/do/evidence-add"
        pages = []
        for number, content in enumerate((PDF, PDF + b"%other")):
            form = dict(visitor.open(f"{place}?type=paper").form("/evidence-add").fields)
            data = {**form, "v_title": "t", "command_id": str(number)}
            pages.append(visitor.ask("POST", place, data=data, files={"file": ("a.pdf", content)}, headers=SAME))

        assert [one.status_code for one in pages] == [303, 429]
        assert said in pages[1].text
        csrf = dict(visitor.open("/board").form("/logout").fields)["csrf"]
        headers = {**SAME, "x-csrf-token": csrf, "idempotency-key": "k"}
        data = {"project_id": project, "type": "paper", "form": "{}"}
        refused = visitor.ask(
            "POST", "/api/v1/evidence", data=data, files={"file": ("a.pdf", PDF + b"%third")}, headers=headers
        )
        assert (refused.status_code, refused.json()["code"]) == (429, "upload_quota_person")
        assert 0 < int(refused.headers["retry-after"]) <= 24 * 3600
        assert [path.read_bytes() for path in (tmp_path / "evidence").rglob("*") if path.is_file()] == [PDF]
        assert house.one("SELECT count(*) FROM upload") == 1

    def test_by_its_hash_alone_gives_nobody_the_file_of_another_firm(
        self, house: House, lead: Browser, signed_in: Callable[..., Browser], tmp_path: Path
    ) -> None:
        lead.send("Hand in", v_title="secret", file=("recipe.pdf", PDF))
        sha256, thief = hashlib.sha256(PDF).hexdigest(), signed_in("stranger")
        asked = RegisterProject(
            command_id=key(),
            programme_id=house.programmes["lean"],
            organisation_id=house.parties["other firm"],
            platform_id=house.parties["platform"],
            name="another",
        )
        (made,) = ids_of(house.do(asked, by="stranger"))
        own = number(house, made)
        seen = house.one("SELECT version FROM project WHERE number = :n", n=own)

        def claims(sha256: str) -> Any:
            csrf = dict(thief.open("/board").form("/logout").fields)["csrf"]
            headers = {**SAME, "x-csrf-token": csrf, "idempotency-key": sha256[:20], "if-match": f'"{seen}"'}
            body = {"type": "paper", "file_name": "mine.pdf", "sha256": sha256, "size_bytes": len(PDF)}
            place = f"/api/v1/projects/{own}/commands/evidence-add"
            return thief.ask("POST", place, json={**body, "form": {"title": "t"}}, headers=headers)

        stolen, invented = claims(sha256), claims("0" * 64)

        assert [(one.status_code, one.json()["code"]) for one in (stolen, invented)] == [(422, "file_not_brought")] * 2
        assert house.one("SELECT count(*) FROM evidence") == 1
        thief.open(f"/projects/{own}/do/evidence-add?type=paper")
        assert thief.send("Hand in", v_title="own", file=("own.pdf", PDF)).path.startswith("/evidence/")

    @pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
    def test_shows_a_table_as_text_only(self, lead: Browser, name: str) -> None:
        content, book = io.BytesIO("名称,值\n<b>温控</b>,4\n".encode()), Workbook()
        if name.endswith(".xlsx"):
            book.active.append(["<b>温控</b>", 4])  # type: ignore[union-attr]
            book.save(content)

        page = lead.send("Hand in", v_title="t", file=(name, content.getvalue()))

        assert "<b>温控</b>" in page.text
        assert "&lt;b&gt;温控" in page.answer.text

    @pytest.mark.parametrize("kind", HOSTILE)
    def test_refuses(self, house: House, lead: Browser, tmp_path: Path, kind: str) -> None:
        name, content, said = HOSTILE[kind]

        page = lead.send("Hand in", v_title="kept", file=(name, content))

        assert page.status == 422
        assert said in page.text
        assert "Nothing was changed" in page.text
        assert ("v_title", "kept") in page.form("/evidence-add").fields
        assert house.one("SELECT count(*) FROM evidence") == 0
        assert not [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()]

    def test_names_what_is_missing_in_the_form(self, house: House, lead: Browser) -> None:
        page = lead.send("Hand in", v_title="", file=("report.pdf", PDF))

        assert page.status == 409
        assert 'id="f-v_title-msg"' in page.answer.text
        assert house.one("SELECT count(*) FROM evidence") == 0

    def test_refuses_a_body_beyond_fifty_mebibytes(self, house: House, lead: Browser) -> None:
        page = lead.send("Hand in", v_title="t", file=("big.pdf", PDF + bytes(51 * 1024 * 1024)))

        assert page.status == 413
        assert house.one("SELECT count(*) FROM evidence") == 0

    def test_that_is_sent_twice_is_done_once(self, house: House, lead: Browser) -> None:
        form = lead.page.form("/evidence-add")
        data = {**dict(form.fields), "v_title": "once"}
        same = {"sec-fetch-site": "same-origin"}

        for _ in range(2):
            lead.ask("POST", form.action, data=data, files={"file": ("a.pdf", PDF)}, headers=same)

        assert house.one("SELECT count(*) FROM evidence") == 1

    @pytest.mark.parametrize("login", ["stranger", "nobody", "other.coordinator"])
    def test_shows_nothing_to_strangers(
        self, house: House, signed_in: Callable[..., Browser], project: str, login: str
    ) -> None:
        made = UUID(house.one("SELECT id FROM project WHERE number = :n", n=project))
        (paper,) = hand_in(house, made)
        visitor = signed_in(login)

        for path in (
            *(f"/projects/{project}/{tab}" for tab in ("files", "gate", "gate/G2.1", "batches", "people", "timeline")),
            *(f"/projects/{project}/{tab}" for tab in ("money", "do/evidence-add")),
            *(f"/evidence/{paper}", f"/evidence/{paper}/file", f"/my/{project}"),
        ):
            assert visitor.open(path).status == 404, path


class TestTheDocumentsOfAProject:
    def test_stand_under_the_gate_that_asks_for_them_with_small_sizes_in_bytes(
        self, house: House, signed_in: Callable[..., Browser], project: str
    ) -> None:
        made = UUID(house.one("SELECT id FROM project WHERE number = :n", n=project))
        (paper,) = hand_in(house, made)

        said = {lang: signed_in("coordinator", lang=lang) for lang in ("en", "zh-CN")}

        assert "G1 Intake 1" in said["en"].open(f"/projects/{project}/files").text
        assert "G1 受理 1" in said["zh-CN"].open(f"/projects/{project}/files").text
        assert "Size 10 bytes" in said["en"].open(f"/evidence/{paper}").text
        assert "大小 10 字节" in said["zh-CN"].open(f"/evidence/{paper}").text

    def test_are_each_in_one_group_the_first_gate_first(self) -> None:
        pack = library.default()
        kinds = [{"type": one.id} for one in pack.evidence_types] + [{"type": "of_no_gate"}]

        groups = by_gate(pack, kinds)

        assert sorted(one["type"] for _, _, those in groups for one in those) == sorted(one["type"] for one in kinds)
        assert [gate for gate, _, _ in groups] == ["G1", "G2", "G3", "G4", "G5", ""]
        assert {"type": "of_no_gate"} in groups[-1][2]
        for gate, stage, those in groups[:-1]:
            asked = {
                kind for one in pack.stage(ProjectState(stage)).criteria for kind in (*one.evidence, *one.supporting)
            }
            assert {one["type"] for one in those} <= asked
            assert all(one.id.startswith(f"{gate}.") for one in pack.stage(ProjectState(stage)).criteria)


class TestARequirement:
    def test_is_accepted_by_the_coordinator_on_its_page(
        self, house: House, signed_in: Callable[..., Browser], project: str
    ) -> None:
        made = UUID(house.one("SELECT id FROM project WHERE number = :n", n=project))
        hand_in(house, made)
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{project}/gate/G2.1")

        visitor.send("Accept", reason="read and found right")

        assert visitor.page.path.startswith("/receipts/")
        page = visitor.open(f"/projects/{project}/gate/G2.1")
        assert "coordinator (coordinator) accepted" in page.text
        assert "read and found right" in page.text
        assert house.one("SELECT is_yes FROM judgement") in (1, True)

    def test_keeps_what_was_typed_when_there_is_nothing_to_judge(
        self, signed_in: Callable[..., Browser], project: str
    ) -> None:
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{project}/gate/G2.1")

        page = visitor.send("Accept", reason="too early")

        assert page.status == 409
        assert ("reason", "too early") in page.form("/gate/G2.1").fields

    def test_that_the_standard_does_not_know_is_not_found(
        self, signed_in: Callable[..., Browser], project: str
    ) -> None:
        assert signed_in("coordinator").open(f"/projects/{project}/gate/G2.99").status == 404


class TestAForm:
    def test_of_a_document_has_words_for_every_choice_of_the_default_standard(self) -> None:
        kinds = library.default().evidence_types
        fields = [one for kind in kinds for field in kind.fields for one in (field, *field.columns)]
        choices = {word for one in fields if one.kind == "choice" for word in one.choices}

        assert sorted(one for one in choices if one.islower() and not is_known(f"choice.{one}")) == []

    def test_of_a_document_says_in_words_what_its_values_are_counted_in(self, house: House, lead: Browser) -> None:
        kinds = library.default().evidence_types
        fields = [one for kind in kinds for field in kind.fields for one in (field, *field.columns)]
        counted = {one.unit for one in fields if one.unit and one.kind != "money"}
        assert counted
        assert sorted(one for one in counted if not is_known(f"unit.{one}")) == []

        (made,) = projects(house, pack="default")
        page = lead.open(f"/projects/{number(house, made)}/do/evidence-add?type=budget").text
        assert "Total (in the chosen currency)" in page

    @pytest.mark.parametrize("name", ["default@2026.1", "hardware@v3.1", "hardware@v3.2"])
    def test_of_a_requirement_has_words_for_every_number_of_a_standard(self, name: str) -> None:
        pack = library.by_name(name)
        numbers = [pair for stage in pack.stages for one in stage.criteria for pair in one.parameters.items()]
        said = [text for pair in numbers for text in parameter(*pair, "zh-CN")]

        assert [one for one in said if re.search(r"[a-z]+_[a-z]+|^[a-z]+$", one)] == []
