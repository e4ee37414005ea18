"""The settings of one installation, read from the environment here and nowhere else."""

import os
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True)
class Settings:
    """Where an installation keeps its things; every path lies under `home` unless a URL says otherwise.

    home: the RISK_HOME folder; made on first use by whoever writes.
    record_url: folder or object-store URL of the record (Delta Lake tables).
    database_url: SQLAlchemy URL of the working state.
    mlflow_url: MLflow tracking server or SQLite URL; the service itself never opens it.
    zone: zone of times that come without an offset, and of what people read.
    """

    home: Path
    record_url: str
    database_url: str
    mlflow_url: str
    zone: ZoneInfo

    @classmethod
    def from_env(cls, home: Path | None = None) -> "Settings":
        """Settings from RISK_HOME, RISK_RECORD_URL, RISK_DATABASE_URL, RISK_MLFLOW_URL and RISK_ZONE.

        `home`, as given on the command line, wins over RISK_HOME. An unknown zone raises ValueError.
        """
        folder = (home or Path(os.environ.get("RISK_HOME", "var"))).expanduser().resolve()
        zone = os.environ.get("RISK_ZONE", DEFAULT_ZONE)
        try:
            known_zone = ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(
                f"RISK_ZONE must name an IANA zone such as {DEFAULT_ZONE}, not {zone!r}"
            ) from error
        return cls(
            home=folder,
            record_url=os.environ.get("RISK_RECORD_URL", str(folder / "record")),
            database_url=os.environ.get("RISK_DATABASE_URL", f"sqlite:///{folder / 'state.db'}"),
            mlflow_url=os.environ.get("RISK_MLFLOW_URL", f"sqlite:///{folder / 'mlflow.db'}"),
            zone=known_zone,
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
    def keys(self) -> Path:
        """Folder of secret keys, readable by its owner alone."""
        return self.home / "keys"
