"""Everything that can be set from outside, each with its reason and an example. Nothing else reads the environment."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.clock import clock_from
from models.ids import ids_from
from models.ports import Clock, Ids
from models.setting_values import (
    LOOPBACK,
    is_clock,
    is_database,
    is_issuer,
    is_mail_address,
    is_mail_server,
    is_place,
    is_web_address,
    is_zone,
    names_hosts,
    names_ids,
    names_networks,
    names_places,
    parts_of,
)

Mode: TypeAlias = Literal["production", "rehearsal"]
Take: TypeAlias = Literal["keep", "move"]
"""Who takes a payment file out of the drop folder: the other side copies and leaves it, or takes it away."""

Bank: TypeAlias = Literal["folders", "sandbox"]
"""Who answers payment files: whoever empties the drop folder, or the bank that a rehearsal brings with it."""

PREFIX = "PILOTWAY_"

KNOWN_ELSEWHERE = frozenset(
    {
        "PILOTWAY_REFERENCE_DATA",
    }
)
"""Names of the contract that nothing in this release reads: they are known, so they do not refuse to start."""


class SettingsError(ValueError):
    """A variable is unknown or cannot be read; the program does not start (exit 2)."""

    def __init__(self, variable: str, reason: str) -> None:
        """Name the variable first."""
        self.variable = variable
        self.reason = reason
        super().__init__(f"{variable}: {reason}")


class Settings(BaseSettings):
    """The settings of one process. Build them with `load_settings()`, which also refuses unknown variables.

    Where two are compared, the type of the error is the one that it is said of.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    db: Annotated[str, AfterValidator(is_database)] = Field(
        default="pilotway.db",
        description="Where everything is kept: a file name, `sqlite:///file.db`, or for several hosts"
        " `postgresql+psycopg://…`. Example: `PILOTWAY_DB=/var/lib/pilotway/pilotway.db`.",
    )
    mode: Mode | None = Field(
        default=None,
        description="Guards real work against a rehearsal's clock and ids: `production` or `rehearsal`, stored in the"
        " database at `init`; a value that differs from the stored one refuses to start. Example: `rehearsal`.",
    )
    clock: Annotated[str, AfterValidator(is_clock)] = Field(
        default="system",
        description="Lets a rehearsal play another day: `system`, a fixed ISO 8601 instant, or `file:PATH`, read at"
        " each use. Other than `system` only in rehearsal. Example: `2026-03-02T01:00:00Z`.",
    )
    ids: Annotated[str, AfterValidator(names_ids)] = Field(
        default="random",
        description="Makes a rehearsal repeatable: `random`, or `seed:N` in a single process. Example: `seed:42`.",
    )
    evidence_dir: str = Field(
        default="evidence",
        description="Evidence files by their SHA-256, outside the database so that it stays small: a folder, or an"
        " address that fsspec knows. Left out, the folder lies beside an SQLite file, with PostgreSQL where the program"
        " is run. Example: `/var/lib/pilotway/evidence`.",
    )
    upload_files: int = Field(
        default=500,
        ge=1,
        le=100_000,
        description="How many files one person may bring within 24 hours; everybody of one organisation together five"
        " times as many. Example: `100`.",
    )
    upload_mib: int = Field(
        default=2048,
        ge=50,
        le=1_000_000,
        description="How many MiB these files may have together, for an organisation five times as many; at least 50,"
        " so that the largest single file fits. Example: `500`.",
    )
    checkpoint_dir: Path = Field(
        default=Path("checkpoints"),
        description="Where signed heads of the audit chains are written; best a disk that the database's owner cannot"
        " change. Left out, a folder beside the evidence. Example: `/mnt/auditors/pilotway`.",
    )
    checkpoint_key: Path | None = Field(
        default=None,
        description="Ed25519 private key that signs checkpoints; without it none are written. `pilotway init` makes the"
        " pair when both variables name files that are not there. Example: `/etc/pilotway/checkpoint.key`.",
    )
    checkpoint_public_key: Path | None = Field(
        default=None,
        description="Ed25519 public key; enough to verify checkpoints. Example: `/etc/pilotway/checkpoint.pub`.",
    )
    backup_dir: Path | None = Field(
        default=None,
        description="Folder where the nightly backup is written; best on another disk. Without it none is made by"
        " itself. Example: `/mnt/backup/pilotway`.",
    )
    backup_keep: int = Field(
        default=14,
        ge=1,
        le=3660,
        description="How many of the newest nightly backups stay in that folder, at most 3660; older ones are removed."
        " Example: `30`.",
    )
    secret_file: Path | None = Field(
        default=None,
        description="Key that seals the secrets of authenticator apps, and that invitations, links in mails and single"
        " sign-on follow from, in a file so that it shows in no process list and in no copy of the database;"
        " `pilotway init` makes one that is not there. Without it real work sends no links."
        " Example: `/etc/pilotway/secret`.",
    )
    bank: Bank = Field(
        default="folders",
        description="Who takes payment files and answers them: `folders`, the bank's software at the two folders below,"
        " or in a rehearsal `sandbox`, a bank that plays along there (`docs/sandbox-bank.md`). Example: `sandbox`.",
    )
    bank_out: Path = Field(
        default=Path("bank/out"),
        description="Folder that the bank's software fetches payment files from. Example: `/srv/bank/out`.",
    )
    bank_in: Path = Field(
        default=Path("bank/in"),
        description="Folder where the bank's statements and answers arrive; another one than `PILOTWAY_BANK_OUT`."
        " Example: `/srv/bank/in`.",
    )
    bank_templates: Path | None = Field(
        default=None,
        description="Folder with the workbook templates of those banks whose portal takes no messages, each file named"
        " by the bank's code (`102100099996.yaml`, docs/bank-templates.md). Example: `/etc/pilotway/banks`.",
    )
    bank_take: Take = Field(
        default="move",
        description="What the other side does with a payment file, so that one that is gone is understood: `keep` (it"
        " copies) or `move` (it takes the file away). Example: `keep`.",
    )
    bank_answer_hours: int = Field(
        default=24,
        ge=1,
        le=24 * 30,
        description="How many hours the bank may stay silent about a payment file before people have to look, at most"
        " 720. Example: `48`.",
    )
    lease_seconds: int = Field(
        default=60,
        ge=1,
        le=3600,
        description="How long a process may work on one payment file before another may take it over, by the clock of"
        " the database, at most 3600. Example: `120`.",
    )
    worker: str | None = Field(
        default=None,
        max_length=100,
        description="How this process calls itself while it works on something; left out, host and process number."
        " Example: `night-run`.",
    )
    console: Annotated[str, AfterValidator(is_place)] = Field(
        default="127.0.0.1:8701",
        description="Where the console of `pilotway serve` answers, as `host:port`; port 0 takes any free one. Best"
        " left on this machine, with a proxy before it that speaks https. Example: `127.0.0.1:8080`.",
    )
    tls_certificate: Path | None = Field(
        default=None,
        description="Certificate of the console with its chain (PEM), where no proxy stands before it: the console then"
        " speaks TLS 1.2 or later and nothing else. With it `PILOTWAY_TLS_KEY`. Example: `/etc/pilotway/console.pem`.",
    )
    tls_key: Path | None = Field(
        default=None,
        description="Private key of that certificate (PEM), without a password and readable by the service alone."
        " Example: `/etc/pilotway/console.key`.",
    )
    plain_hosts: Annotated[str, AfterValidator(names_hosts)] | None = Field(
        default=None,
        description="Servers that are reached without TLS because the way to them leaves neither this machine nor a"
        " network of its own, separated by commas; `pilotway doctor` finds every other such way ill where work is real."
        " Example: `postgres,prefect`.",
    )
    second_factor: Literal["everybody", "money", "offered"] | None = Field(
        default=None,
        description="Who has to have a second factor (authenticator app or passkey): `everybody` with an account,"
        " `money`, who decides about money in the console, or `offered`, nobody. Left out, `money`, in a rehearsal"
        " `offered`. Example: `everybody`.",
    )
    prefect: Literal["off", "on"] = Field(
        default="off",
        description="Who wakes the schedules under `pilotway serve`: `off`, our own loop, or `on`, a Prefect server"
        " that is started with it and keeps to this machine. Both do the same work. Example: `on`.",
    )
    prefect_home: Path = Field(
        default=Path(".prefect"),
        description="Folder of the embedded Prefect server's own database. Left out, beside an SQLite file. Example:"
        " `/var/lib/pilotway/prefect`.",
    )
    prefect_ui: Annotated[str, AfterValidator(is_web_address)] | None = Field(
        default=None,
        description="Address of the pages of the Prefect server that wakes the schedules, as operators reach them: the"
        " page of a run then leads to Prefect's own. Left out, it names the number of the run alone."
        " Example: `https://prefect.example.org`.",
    )
    timezone: Annotated[str, AfterValidator(is_zone)] = Field(
        default="Asia/Shanghai",
        description="In whose calendar a deadline's day ends. Example: `Asia/Shanghai`.",
    )
    token: str | None = Field(
        default=None,
        repr=False,
        description="API token: who acts when the command line is used. Example: `pt_…`, from `pilotway user token`.",
    )
    smtp_url: Annotated[str, AfterValidator(is_mail_server)] | None = Field(
        default=None,
        repr=False,
        description="The mail server: `smtp://host:port`, `smtps://…`, with name and password where it asks for them;"
        " left out, each mail is written to stderr. STARTTLS is used where it is offered; `?starttls=required` asks for"
        " it, `?starttls=never` leaves it. Example: `smtp://pilotway:secret@mail.example.org:587`.",
    )
    mail_from: Annotated[str, AfterValidator(is_mail_address)] = Field(
        default="Pilotway <pilotway@localhost>",
        max_length=300,
        description="Whom mails come from, as the mail server lets this installation write."
        " Example: `Pilotway <pilotway@example.org>`.",
    )
    chat_hosts: Annotated[str, AfterValidator(names_places)] | None = Field(
        default=None,
        description="Chat servers of your own that the chat addresses of people may name, each as `host:port`,"
        " separated by commas; services with a place of their own (DingTalk, Feishu, WeCom …) need no entry, a proxy"
        " inside that this machine reaches them through does."
        " Example: `chat.example.org:443`.",
    )
    webhook_allow: Annotated[str, AfterValidator(names_places)] | None = Field(
        default=None,
        description="Receivers of webhooks that need be neither public nor https, each as `host:port`, separated by"
        " commas; in a rehearsal only. Example: `127.0.0.1:8099`.",
    )
    api: Annotated[str, AfterValidator(is_web_address)] | None = Field(
        default=None,
        description="Address at which people reach the console, for links in messages, single sign-on and passkeys."
        " Links of invitations begin with the address of `PILOTWAY_CONSOLE` where it is left out."
        " Example: `https://pilot.example.org`.",
    )
    trusted_proxies: Annotated[str, AfterValidator(names_networks)] | None = Field(
        default=None,
        description="Proxies before the console, as addresses or networks separated by commas: only they are believed"
        " what `X-Forwarded-For` and `X-Forwarded-Proto` say. Left out, nobody is. Example: `10.0.0.5,10.1.0.0/24`.",
    )
    oidc_issuer: Annotated[str, AfterValidator(is_issuer)] | None = Field(
        default=None,
        description="Identity provider for single sign-on (OpenID Connect), as its documents name it; https, or http"
        " on this machine. Accounts are made here, never by it. Example: `https://login.example.org/realms/base`.",
    )
    oidc_client_id: str | None = Field(
        default=None,
        max_length=200,
        description="As what this installation is entered at the identity provider; the address to enter there is"
        " `PILOTWAY_API` with `/login/oidc/back`. Example: `pilotway`.",
    )
    oidc_client_secret: str | None = Field(
        default=None,
        repr=False,
        description="What the identity provider knows it by; left out for a public client (PKCE is used either way)."
        " Example: `a-long-random-text`.",
    )
    oidc_name: str | None = Field(
        default=None,
        max_length=60,
        description="What the sign-in page calls the identity provider. Example: `统一身份认证`.",
    )

    @model_validator(mode="after")
    def _knows_its_client(self) -> "Settings":
        """Refuse an identity provider without the name that we have there."""
        if self.oidc_issuer and not self.oidc_client_id:
            raise PydanticCustomError("oidc_issuer", "names no PILOTWAY_OIDC_CLIENT_ID")
        return self

    @model_validator(mode="after")
    def _has_both_halves(self) -> "Settings":
        """Refuse a certificate without its key, and a key without its certificate."""
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise PydanticCustomError("tls_certificate", "needs PILOTWAY_TLS_KEY, and the other way round")
        return self

    @model_validator(mode="after")
    def _folders_differ(self) -> "Settings":
        """Refuse one folder for both ways: our own payment file would come back as the bank's answer."""
        if self.bank_in.absolute() == self.bank_out.absolute():
            raise PydanticCustomError("bank_in", "is the folder of PILOTWAY_BANK_OUT too")
        return self

    def evidence_place(self) -> str:
        """Return where evidence files lie, also for who runs the program in another folder."""
        return self._place("evidence_dir")

    def checkpoint_place(self) -> Path:
        """Return the folder of signed checkpoints, also for who runs the program in another folder."""
        return Path(self._place("checkpoint_dir"))

    def prefect_place(self) -> Path:
        """Return the folder of the embedded Prefect server, also for who runs the program in another folder."""
        return Path(self._place("prefect_home")).absolute()

    def _place(self, name: str) -> str:
        """Return a folder as it is set; its default lies beside an SQLite file."""
        value = str(getattr(self, name))
        return value if name in self.model_fields_set else str(_folder_of(self.db) / value)

    def public_url(self) -> str:
        """Return the address at which people reach the console: never what a request says of itself."""
        return (self.api or f"{self.scheme()}://{self.console}").rstrip("/")

    def scheme(self) -> str:
        """Return how the console itself is spoken to."""
        return "https" if self.tls_certificate else "http"

    def origin(self) -> str | None:
        """Return the address for which passkeys hold; browsers know them by https or on this machine alone."""
        parts = urlsplit(self.api or "")
        is_sure = parts.scheme == "https" or parts.hostname in LOOPBACK
        return f"{parts.scheme}://{parts.netloc}".lower() if is_sure else None

    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the networks whose word about a visitor is taken."""
        return tuple(ip_network(one.strip()) for one in (self.trusted_proxies or "").split(",") if one.strip())

    def console_place(self) -> tuple[str, int]:
        """Return host and port of the console."""
        host, _, port = self.console.rpartition(":")
        return host, int(port)

    def seal_key(self) -> str | None:
        """Return the key of the installation, with which secrets of authenticator apps are sealed; None without one."""
        path = self.secret_file
        return path.read_text(encoding="utf-8").strip() or None if path is not None and path.is_file() else None

    def webhook_places(self) -> frozenset[str]:
        """Return the receivers that are exempt from the rule of addresses."""
        return parts_of(self.webhook_allow or "")

    def is_near(self, host: str | None) -> bool:
        """Say whether the way to a server needs no TLS: it is this machine, or was named as one that needs none."""
        return not host or host.lower() in LOOPBACK or host.lower() in parts_of(self.plain_hosts or "")

    def chat_places(self) -> frozenset[str]:
        """Return the chat servers that addresses of people may name."""
        return parts_of(self.chat_hosts or "")

    def make_clock(self) -> Clock:
        """Return the clock that is set."""
        return clock_from(self.clock)

    def make_ids(self) -> Ids:
        """Return the source of keys that is set."""
        return ids_from(self.ids)

    def checked_mode(self, stored: Mode | None) -> Mode:
        """Return the mode that holds, given the one stored in the database (None before `init`).

        SettingsError when the variable differs from the database, or what is for rehearsals meets production.
        """
        if stored and self.mode and stored != self.mode:
            raise SettingsError("PILOTWAY_MODE", f"is {self.mode}, but the database was made for {stored}")
        mode = stored or self.mode or "production"
        if mode == "production" and self.clock != "system":
            raise SettingsError("PILOTWAY_CLOCK", f"{self.clock!r} is allowed in a rehearsal only")
        if mode == "production" and self.ids != "random":
            raise SettingsError("PILOTWAY_IDS", f"{self.ids!r} is allowed in a rehearsal only")
        if mode == "production" and self.bank != "folders":
            raise SettingsError("PILOTWAY_BANK", f"{self.bank!r} is allowed in a rehearsal only")
        if mode == "production" and self.webhook_allow:
            raise SettingsError("PILOTWAY_WEBHOOK_ALLOW", "is allowed in a rehearsal only")
        return mode


def _folder_of(database: str) -> Path:
    """Return the folder of an SQLite file; for a server the one where the program is run."""
    scheme, _, rest = database.rpartition("://")
    return Path(rest.removeprefix("/") if scheme else rest).parent if scheme in ("", "sqlite") else Path()


def known_variables() -> frozenset[str]:
    """Return every `PILOTWAY_…` name that may be set."""
    return KNOWN_ELSEWHERE | {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def load_settings() -> Settings:
    """Read the settings from the environment; SettingsError names the first variable that is unknown or unreadable."""
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known_variables():
            raise SettingsError(name, "is not a variable of Pilotway (docs/settings.md lists them)")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0] if first["loc"] else first["type"])  # of two that are compared, the one it names
        raise SettingsError(f"{PREFIX}{name.upper()}", first["msg"]) from None
