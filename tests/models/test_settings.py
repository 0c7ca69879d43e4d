"""Settings are read whole or not at all, and a mistake names its variable."""

import re
from pathlib import Path

import pytest

from models.clock import FixedClock, SystemClock
from models.settings import KNOWN_ELSEWHERE, Settings, SettingsError, known_variables, load_settings


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"PILOTWAY_{name}", value)


class TestLoadSettings:
    @pytest.mark.parametrize("half", ["TLS_KEY", "TLS_CERTIFICATE"])
    def test_needs_a_certificate_with_its_key(self, monkeypatch: pytest.MonkeyPatch, half: str) -> None:
        given(monkeypatch, **{half: "/etc/pilotway/file.pem"})
        with pytest.raises(SettingsError, match=r"^PILOTWAY_TLS_CERTIFICATE: needs PILOTWAY_TLS_KEY"):
            load_settings()
        given(monkeypatch, TLS_KEY="a.key", TLS_CERTIFICATE="a.pem", CONSOLE="10.0.0.5:443")
        assert load_settings().public_url() == "https://10.0.0.5:443"

    def test_names_the_variable_that_lacks_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given(monkeypatch, OIDC_ISSUER="https://login.example.org")
        with pytest.raises(SettingsError, match=r"^PILOTWAY_OIDC_ISSUER: names no PILOTWAY_OIDC_CLIENT_ID"):
            load_settings()

    @pytest.mark.parametrize("wrong", ["http://postgres", "postgres:5432/x", "a b", "name@host"])
    def test_takes_names_of_machines_only(self, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
        given(monkeypatch, PLAIN_HOSTS=f"postgres,{wrong}")
        with pytest.raises(SettingsError, match=r"^PILOTWAY_PLAIN_HOSTS: .*names or addresses of machines"):
            load_settings()

    def test_has_a_default_for_everything(self) -> None:
        settings = load_settings()
        assert (settings.db, settings.mode, settings.timezone) == ("pilotway.db", None, "Asia/Shanghai")
        assert isinstance(settings.make_clock(), SystemClock)

    def test_reads_what_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given(monkeypatch, DB="sqlite:///x.db", CHECKPOINT_DIR="/mnt/x", CLOCK="2026-03-02T01:00:00Z", IDS="seed:1")
        settings = load_settings()
        assert (settings.db, settings.checkpoint_dir) == ("sqlite:///x.db", Path("/mnt/x"))
        assert isinstance(settings.make_clock(), FixedClock)
        assert settings.make_ids().new() == settings.make_ids().new()

    @pytest.mark.parametrize(
        ("database", "place"),
        [
            ("pilotway.db", "evidence"),
            ("/srv/pilotway/p.db", "/srv/pilotway/evidence"),
            ("sqlite:////srv/pilotway/p.db", "/srv/pilotway/evidence"),
            ("sqlite:///data/p.db", "data/evidence"),
            ("postgresql+psycopg://host/p", "evidence"),
        ],
    )
    def test_keeps_evidence_beside_the_database(
        self, monkeypatch: pytest.MonkeyPatch, database: str, place: str
    ) -> None:
        given(monkeypatch, DB=database)
        assert load_settings().evidence_place() == place

    def test_takes_a_folder_as_it_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given(monkeypatch, DB="/srv/p.db", EVIDENCE_DIR="evidence", CHECKPOINT_DIR="/mnt/x")
        settings = load_settings()
        assert (settings.evidence_place(), settings.checkpoint_place()) == ("evidence", Path("/mnt/x"))

    def test_takes_an_empty_variable_as_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given(monkeypatch, CLOCK="", TOKEN="")
        settings = load_settings()
        assert (settings.clock, settings.token) == ("system", None)

    @pytest.mark.parametrize("name", ["PILOTWAY_CLOK", "PILOTWAY_", "pilotway_database"])
    def test_refuses_an_unknown_variable_by_name(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(name, "x")
        with pytest.raises(SettingsError, match=f"^{name}: is not a variable of Pilotway"):
            load_settings()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("MODE", "test"),
            ("CLOCK", "yesterday"),
            ("CLOCK", "2026-03-02T01:00:00"),
            ("IDS", "seed:x"),
            ("TIMEZONE", "Asia/Peking"),
            ("TIMEZONE", "../../etc/passwd"),
            ("API", "ftp://x"),
            ("API", "pilot.example.org"),
            ("BANK_TAKE", "copy"),
            ("BANK_ANSWER_HOURS", "0"),
            ("BANK_ANSWER_HOURS", "721"),
            ("BANK_ANSWER_HOURS", "a day"),
            ("BANK_IN", "bank/out"),
            ("SMTP_URL", "mail.example.org"),
            ("SMTP_URL", "http://mail.example.org"),
            ("SMTP_URL", "smtp://"),
            ("SMTP_URL", "smtp://mail.example.org:port"),
            ("MAIL_FROM", "nobody"),
            ("MAIL_FROM", "a@example.org\nBcc: all@example.org"),
            ("WEBHOOK_ALLOW", "127.0.0.1"),
            ("WEBHOOK_ALLOW", "127.0.0.1:0"),
            ("CHAT_HOSTS", "chat.example.org:https"),
            ("LEASE_SECONDS", "0"),
            ("LEASE_SECONDS", "3601"),
            ("WORKER", "w" * 101),
        ],
    )
    def test_refuses_an_unreadable_value_by_name(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        given(monkeypatch, **{name: value})
        with pytest.raises(SettingsError) as refused:
            load_settings()
        assert refused.value.variable == f"PILOTWAY_{name}"
        assert str(refused.value).startswith(f"PILOTWAY_{name}: ")

    def test_knows_names_that_this_release_does_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in KNOWN_ELSEWHERE:
            monkeypatch.setenv(name, "anything")
        assert load_settings() == Settings()

    def test_does_not_show_the_token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given(monkeypatch, TOKEN="pt_secret")
        assert "pt_secret" not in repr(load_settings())


class TestCheckedMode:
    def test_is_what_the_database_says(self) -> None:
        assert Settings().checked_mode("rehearsal") == "rehearsal"

    def test_is_production_when_nobody_says_otherwise(self) -> None:
        assert Settings().checked_mode(None) == "production"

    def test_refuses_to_differ_from_the_database(self) -> None:
        with pytest.raises(SettingsError, match="PILOTWAY_MODE: is rehearsal, but the database was made for prod"):
            Settings(mode="rehearsal").checked_mode("production")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("clock", "2026-03-02T01:00:00Z"),
            ("ids", "seed:1"),
            ("bank", "sandbox"),
            ("webhook_allow", "127.0.0.1:8099"),
        ],
    )
    def test_refuses_what_is_for_rehearsals_in_production(self, name: str, value: str) -> None:
        settings = Settings.model_validate({name: value})
        with pytest.raises(SettingsError, match=f"PILOTWAY_{name.upper()}: .*rehearsal only"):
            settings.checked_mode("production")
        assert settings.checked_mode("rehearsal") == "rehearsal"


class TestFields:
    @pytest.mark.parametrize("name", sorted(Settings.model_fields))
    def test_each_has_a_reason_and_an_example(self, name: str) -> None:
        assert re.search(r"\w{3}.*Example: `.+`", Settings.model_fields[name].description or "", re.DOTALL)

    def test_no_name_is_both_read_and_not_read(self) -> None:
        assert len(known_variables()) == len(KNOWN_ELSEWHERE) + len(Settings.model_fields)
