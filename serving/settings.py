"""The settings of one installation, read from the environment here and nowhere else."""

import os
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "Asia/Ho_Chi_Minh"
STORE_PATIENCE = {"AWS_TIMEOUT": "7s", "AWS_CONNECT_TIMEOUT": "3s"}
"""How long an object store's one answer is waited for, where the environment says nothing: the client's own 30 s, asked
six times, would hold a page for three minutes."""


@dataclass(frozen=True)
class Variable:
    """One variable of the environment: what it means, and what holds where it is left out (H is RISK_HOME)."""

    name: str
    words: str
    default: str


ENVIRONMENT = (
    Variable("RISK_HOME", "folder of everything that is not elsewhere; `--home` of a command wins", "`./var`"),
    Variable(
        "RISK_RECORD_URL",
        "the record: a folder, or `s3://bucket/record` with `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, "
        "`AWS_SECRET_ACCESS_KEY`, `AWS_REGION` in the environment, and `AWS_ALLOW_HTTP=true` where that speaks no TLS "
        "(the base install reads and writes it; no extra); an answer is waited for `AWS_TIMEOUT`, 7s",
        "`H/record`",
    ),
    Variable(
        "RISK_DATABASE_URL",
        "accounts, lists, answers, receipts, runs of jobs: `postgresql://user:password@host/name` (extra `postgres`) "
        "or `sqlite:////path/state.db`",
        "`sqlite:///H/state.db`",
    ),
    Variable(
        "RISK_MLFLOW_URL", "tracking server of the analysts; the service never asks it", "`sqlite:///H/mlflow.db`"
    ),
    Variable(
        "RISK_ZONE", "zone of what people read, of times without offset, of calendars of jobs", f"`{DEFAULT_ZONE}`"
    ),
    Variable("RISK_ROOT_PATH", "the path under which the proxy shows the service, such as `/risk`", "it stands alone"),
    Variable(
        "RISK_TRUSTED_PROXIES",
        "addresses or networks of the proxies in front, with commas, whose word on client and scheme is taken",
        "this machine alone: `127.0.0.1,::1`",
    ),
    Variable(
        "RISK_OIDC_ISSUER", "the province's identity provider: its issuer URL; all three or none", "local accounts"
    ),
    Variable("RISK_OIDC_CLIENT_ID", "what the identity provider knows us by", "local accounts"),
    Variable("RISK_OIDC_CLIENT_SECRET", "and the secret of it", "local accounts"),
    Variable("RISK_SMTP_PASSWORD", "of the mail server in `H/warnings.toml`", "no password is given"),
    Variable(
        "RISK_HEADS_FOLDER", "where signed heads of the receipts are carried: a folder of another disk", "not there"
    ),
    Variable("RISK_HEADS_WEBHOOK", "the same: an https address", "not there"),
    Variable("RISK_HEADS_MAIL", "the same: a mailbox, by the mail server of `H/warnings.toml`", "not there"),
    Variable("RISK_HEADS_TIME_STAMP", "the same: a time-stamping authority (RFC 3161)", "not there"),
    Variable("OTEL_EXPORTER_OTLP_ENDPOINT", "receiver of traces (OTLP over HTTP; extra `otel`)", "no traces are made"),
    Variable(
        "RISK_PERSON",
        "who types: `--by` of commands that train and promote; another trains than promotes",
        "nobody is named",
    ),
    Variable(
        "RISK_DEBUG", "`1`: an error of a command shows where it arose; may show rows, so never in a log", "one line"
    ),
    Variable(
        "PROMETHEUS_MULTIPROC_DIR",
        "a folder in which server processes join their metrics",
        "`risk serve` makes one where there are several",
    ),
    Variable("MLFLOW_DISABLE_TELEMETRY", "read by MLflow, as all that follow", "`true`: it calls nobody"),
    Variable("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "progress bars of uploads", "`false`"),
    Variable("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "how often a tracking server that is away is asked again", "`2`"),
    Variable("MLFLOW_HTTP_REQUEST_TIMEOUT", "seconds that it may take to answer", "`60`"),
    Variable("OMP_NUM_THREADS", "threads of numeric libraries in a process", "`1`"),
)
"""Every variable that the product reads; `docs/reference/configuration.md` is made of it."""


@dataclass(frozen=True)
class OidcSettings:
    """One OpenID Connect provider: its issuer URL, and what it knows us by."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class HeadSettings:
    """Where signed heads of the receipt chain are carried; empty: not there.

    folder: of another disk or machine. webhook: an https address. mail: a mailbox, by the server of `warnings.toml`.
    time_stamp: the address of a time-stamping authority (RFC 3161).
    """

    folder: Path | None = None
    webhook: str = ""
    mail: str = ""
    time_stamp: str = ""

    @property
    def places(self) -> list[str]:
        """The places that are named."""
        return [name for name in ("folder", "webhook", "mail", "time_stamp") if getattr(self, name)]


@dataclass(frozen=True)
class Settings:
    """Where an installation keeps its things; every path lies under `home` unless a URL says otherwise.

    home: the RISK_HOME folder; made on first use by whoever writes.
    record_url: folder or object-store URL of the record (Delta Lake tables).
    database_url: SQLAlchemy URL of the working state.
    mlflow_url: MLflow tracking server or SQLite URL; the service itself never opens it.
    zone: zone of times that come without an offset, and of what people read.
    oidc: the identity provider that people may log in through; None where there are only local accounts.
    smtp_password: of the mail server that `warnings.toml` names.
    root_path: the path under which a proxy shows the service, such as /risk; empty where it stands alone.
    otlp_endpoint: base URL of the receiver of traces (OpenTelemetry, OTLP over HTTP); empty: none are made.
    heads: where heads of the receipt chain are carried.
    trusted_proxies: addresses and networks, with commas, whose word on scheme and client (X-Forwarded-…) is taken.
    """

    home: Path
    record_url: str
    database_url: str
    mlflow_url: str
    zone: ZoneInfo
    oidc: OidcSettings | None = None
    smtp_password: str = ""
    otlp_endpoint: str = ""
    root_path: str = ""
    heads: HeadSettings = HeadSettings()
    trusted_proxies: str = "127.0.0.1,::1"

    @classmethod
    def from_env(cls, home: Path | None = None) -> "Settings":
        """Settings from RISK_HOME, RISK_RECORD_URL, RISK_DATABASE_URL, RISK_MLFLOW_URL, RISK_ZONE.

        RISK_OIDC_…, RISK_SMTP_PASSWORD, RISK_ROOT_PATH, RISK_HEADS_FOLDER, _WEBHOOK, _MAIL, _TIME_STAMP,
        OTEL_EXPORTER_OTLP_ENDPOINT.

        `home`, as given on the command line, wins over RISK_HOME. An unknown zone raises ValueError.
        """
        folder = (home or Path(os.environ.get("RISK_HOME", "var"))).expanduser().resolve()
        zone = os.environ.get("RISK_ZONE", DEFAULT_ZONE)
        try:
            known_zone = ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"RISK_ZONE must name an IANA zone such as {DEFAULT_ZONE}, not {zone!r}") from error
        return cls(
            home=folder,
            record_url=os.environ.get("RISK_RECORD_URL", str(folder / "record")),
            database_url=os.environ.get("RISK_DATABASE_URL", f"sqlite:///{folder / 'state.db'}"),
            mlflow_url=os.environ.get("RISK_MLFLOW_URL", f"sqlite:///{folder / 'mlflow.db'}"),
            zone=known_zone,
            oidc=_oidc(),
            smtp_password=os.environ.get("RISK_SMTP_PASSWORD", ""),
            otlp_endpoint=os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
            root_path=os.environ.get("RISK_ROOT_PATH", "").strip("/"),
            heads=_heads(),
            trusted_proxies=_proxies(),
        )

    @property
    def models(self) -> Path:
        """Folder of packaged models: `<target>/<version>/` and the pointers beside them."""
        return self.home / "models"

    @property
    def scores(self) -> Path:
        """Folder of scored lists: `<target>/<as_of>/scores.parquet`, `meta.json`, and `latest.json`."""
        return self.home / "scores"

    @property
    def warnings(self) -> Path:
        """The file of rules for early warnings; may be absent."""
        return self.home / "warnings.toml"

    @property
    def keys(self) -> Path:
        """Folder of secret keys, readable by its owner alone."""
        return self.home / "keys"


def _proxies() -> str:
    value = os.environ.get("RISK_TRUSTED_PROXIES", "127.0.0.1,::1")
    for one in value.split(","):
        try:
            ip_network(one.strip())
        except ValueError as error:  # "*" too: whoever connects would then say who they are
            raise ValueError(f"RISK_TRUSTED_PROXIES: wanted addresses or networks, got {one[:60]!r}") from error
    return ",".join(one.strip() for one in value.split(","))


def _heads() -> HeadSettings:
    folder = os.environ.get("RISK_HEADS_FOLDER", "")
    return HeadSettings(
        Path(folder).expanduser() if folder else None,
        *(os.environ.get(f"RISK_HEADS_{name}", "") for name in ("WEBHOOK", "MAIL", "TIME_STAMP")),
    )


def _oidc() -> OidcSettings | None:
    """The provider of RISK_OIDC_ISSUER, RISK_OIDC_CLIENT_ID, RISK_OIDC_CLIENT_SECRET; all three or none."""
    values = [os.environ.get(f"RISK_OIDC_{name}", "") for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")]
    if any(values) and not all(values):
        raise ValueError("RISK_OIDC_ISSUER, RISK_OIDC_CLIENT_ID and RISK_OIDC_CLIENT_SECRET go together")
    return OidcSettings(*values) if all(values) else None
