"""Uploaded files under preview, stored until somebody confirms them or a day has passed."""

import json
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePath

KEPT_FOR = timedelta(days=1)
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Upload:
    """One file sent in by `login`, and how it is to be read. name: as shown to people, without folders."""

    token: str
    login: str
    name: str
    source: str
    mapping: str
    mapping_name: str
    encoding: str
    live: bool


class Uploads:
    """The uploads under `folder`: `<token>/told.json` beside the file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, data: bytes, options: Mapping[str, object], *, login: str, name: str, now: datetime) -> Upload:
        """Keeps `data`; what was kept for longer than `KEPT_FOR` is removed."""
        self._forget(now)
        plain = re.sub(r"[^\w. -]", "_", PurePath(name.replace("\\", "/")).name)[-80:].lstrip(".") or "file"
        upload = Upload(secrets.token_hex(16), login, plain, **options)  # type: ignore[arg-type]
        place = self._folder / upload.token
        place.mkdir(parents=True, mode=0o700)
        self.path(upload).write_bytes(data)
        self.change(upload)
        return upload

    def change(self, upload: Upload) -> None:
        """Keeps how the file is to be read, as it stands in `upload`."""
        (self._folder / upload.token / "told.json").write_text(json.dumps(asdict(upload)), "utf-8")

    def get(self, token: str, login: str) -> Upload | None:
        """The upload of that token, if this person sent it in and it is still there."""
        description = self._folder / token / "told.json"
        if not _TOKEN.fullmatch(token) or not description.exists():
            return None
        upload = Upload(**json.loads(description.read_text("utf-8")))
        return upload if upload.login == login else None

    def path(self, upload: Upload) -> Path:
        """Where its file lies."""
        return self._folder / upload.token / upload.name

    def remove(self, upload: Upload) -> None:
        """Forgets the file."""
        shutil.rmtree(self._folder / upload.token, ignore_errors=True)

    def _forget(self, now: datetime) -> None:
        for place in self._folder.glob("*"):
            if now.timestamp() - place.stat().st_mtime > KEPT_FOR.total_seconds():
                shutil.rmtree(place, ignore_errors=True)
