"""Backup while others write, wipe, restore: the same scores to the bit; a damaged archive is refused."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.calendar.working_time import PLAIN_WEEK
from features.key_file import key_file
from features.record.delivery import Chunk
from features.record.record import Record
from serving.access.permissions import Role
from serving.cli import app
from serving.jobs import archive as archive_module
from serving.jobs.archive import MANIFEST, SIGNATURE
from serving.jobs.backup import SIGNING, back_up, restore
from serving.jobs.key_copy import close_keys, open_keys
from serving.scoring.batch import score_record
from serving.scoring.score_files import read_scores
from serving.settings import Settings
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, draw_office
from tests.drawn_people import token

NOBODY = 65534
WORD = "một lời dài giữ ở nơi khác"


def keys_of(settings: Settings) -> dict[str, bytes]:
    """The keys of an installation as its restore wants them."""
    return {
        path.relative_to(settings.keys).as_posix(): path.read_bytes()
        for path in settings.keys.rglob("*")
        if path.is_file()
    }


def repacked(archive: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Rewrites an archive with changed content and a manifest that fits it; the signature is out of reach."""
    with tarfile.open(archive) as tar:
        held = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    manifest = json.loads(held.pop(MANIFEST))
    signature = held.pop(SIGNATURE)
    change(held)
    manifest["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in held.items()}
    held |= {MANIFEST: json.dumps(manifest, sort_keys=True).encode(), SIGNATURE: signature}
    with tarfile.open(archive, "w") as tar:
        for name, data in held.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, BytesIO(data))


def test_edited_content_is_refused_though_its_hashes_fit(office: Settings, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar"
    back_up(office, archive, now=AS_OF)
    assert archive.stat().st_mode & 0o077 == 0

    def edit(held: dict[str, bytes]) -> None:
        name = next(name for name in held if name.endswith("champion.json"))
        held[name] = held[name].replace(b"v1", b"v2")

    repacked(archive, edit)
    with pytest.raises(ValueError, match="not signed with the key at hand"):
        restore(archive, Settings.from_env(tmp_path / "again"), keys_of(office))
    assert not (tmp_path / "again").exists()


def test_an_archive_holds_no_key_and_the_key_file_opens_with_its_word_alone(office: Settings, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar"
    back_up(office, archive, now=AS_OF)
    secrets = keys_of(office)
    assert secrets
    content = archive.read_bytes()
    assert [name for name, secret in secrets.items() if secret in content] == []
    close_keys(office.keys, tmp_path / "keys.closed", WORD)
    closed = (tmp_path / "keys.closed").read_bytes()
    assert (tmp_path / "keys.closed").stat().st_mode & 0o077 == 0
    assert [name for name, secret in secrets.items() if secret in closed] == []
    assert open_keys(tmp_path / "keys.closed", WORD) == secrets
    with pytest.raises(ValueError, match="does not open"):
        open_keys(tmp_path / "keys.closed", WORD + " ")
    (tmp_path / "keys.closed").write_bytes(closed[:-1] + bytes([closed[-1] ^ 1]))
    with pytest.raises(ValueError, match="was changed"):
        open_keys(tmp_path / "keys.closed", WORD)
    with pytest.raises(ValueError, match="at least 16"):
        close_keys(office.keys, tmp_path / "short", "ngắn")


@pytest.mark.parametrize("kind", ["bomb", "link", "many"])
def test_what_a_restore_writes_is_bounded(
    office: Settings, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "MOST_FILES", 100)
    archive = tmp_path / "bomb.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=9) as tar:
        if kind == "bomb":
            big = tarfile.TarInfo("big")
            big.size = 3 * 2**30
            tar.addfile(big, Zeros(big.size))  # type: ignore[arg-type]
        elif kind == "link":
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, "state.db"
            tar.addfile(link)
        else:
            for number in range(102):
                tar.addfile(tarfile.TarInfo(f"f{number}"))
    monkeypatch.setattr(archive_module, "MOST_RATIO", 1)
    written: list[int] = []
    monkeypatch.setattr(tarfile.TarFile, "extract", lambda _, entry, *__, **___: written.append(entry.size))
    with pytest.raises(ValueError, match="not a whole backup"):
        restore(archive, Settings.from_env(tmp_path / "again"), keys_of(office))
    assert sum(written) < 2**26  # nothing is left of it either way: what counts is what was written on the way
    assert len(written) <= 101
    assert not (tmp_path / "again").exists()


class Zeros:
    """A file of nothing but zeros."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, most: int) -> bytes:
        """The next zeros."""
        took = min(most, self.left)
        self.left -= took
        return bytes(took)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = draw_office(tmp_path_factory.mktemp("office") / "home")
    ship(settings.models, drawn_model(), "v1")
    score_record(settings, AS_OF, PLAIN_WEEK)
    token(settings, Role.ANALYST)  # makes the database
    key_file(settings.keys / SIGNING)  # as the first backup does
    return settings


def test_restore_drill_gives_the_same_scores_to_the_bit(office: Settings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(office.home, home)
    settings = Settings.from_env(home)
    told = CliRunner().invoke(
        app,
        ["--home", str(home), "backup", str(tmp_path / "b.tar.gz"), "--keys", str(tmp_path / "k")],
        input=f"{WORD}\n",
    )
    assert told.exit_code == 0, told.output
    before, _ = read_scores(score_record(settings, AS_OF, PLAIN_WEEK, latest=False)[1])
    shutil.rmtree(home)
    told = CliRunner().invoke(
        app,
        ["--home", str(home), "restore", str(tmp_path / "b.tar.gz"), "--keys", str(tmp_path / "k")],
        input=f"{WORD}\n",
    )
    assert told.exit_code == 0, told.output
    after, meta = read_scores(score_record(settings, AS_OF, PLAIN_WEEK, latest=False)[1])
    assert after.equals(before)
    assert meta.model_version == "v1"
    assert (home / "state.db").stat().st_size > 0


def test_a_backup_during_deliveries_holds_whole_deliveries(office: Settings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(office.home, home)
    record = Record(home / "record")
    stop = threading.Event()

    def deliver() -> None:
        number = 0
        while not stop.is_set():
            row = {"dossier_id": f"late-{number}", "kind": "note", "happened_at": AS_OF + timedelta(minutes=number)}
            record.append([Chunk("event", [row])], source="test", arrived_at=AS_OF + timedelta(days=9))
            number += 1

    writer = threading.Thread(target=deliver)
    writer.start()
    try:
        back_up(Settings.from_env(home), tmp_path / "b.tar", now=AS_OF)
    finally:
        stop.set()
        writer.join()
    restore(tmp_path / "b.tar", Settings.from_env(tmp_path / "again"), keys_of(Settings.from_env(home)))
    copy = Record(tmp_path / "again" / "record")
    con = copy.connect()
    told = con.execute("SELECT sum(appended) FROM delivery").fetchall()[0][0]
    held = sum(
        con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
        for name in ("sector", "procedure", "unit", "official", "dossier", "event", "holiday", "complaint", "rating")
    )
    assert held == told
    assert copy.version() <= record.version()


@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign", "escaping"])
def test_a_damaged_archive_is_refused_and_leaves_nothing(office: Settings, tmp_path: Path, damage: str) -> None:
    archive = tmp_path / "b.tar"
    back_up(office, archive, now=AS_OF)
    data = bytearray(archive.read_bytes())
    if damage == "truncated":
        archive.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        at = data.find(b"PAR1") + 20
        data[at] ^= 1
        archive.write_bytes(data)
    elif damage == "foreign":
        archive.write_bytes(b"hello" * 1000)
    else:
        with tarfile.open(archive, "w") as tar:
            tar.add(__file__, arcname="../../outside.py")
    with pytest.raises(ValueError, match=r"not a whole backup|missing, changed or foreign"):
        restore(archive, Settings.from_env(tmp_path / "again"), keys_of(office))
    assert not (tmp_path / "again").exists()
    assert not list(tmp_path.glob(".restore-*"))


def test_a_home_without_a_record_is_kept_and_comes_back(tmp_path: Path) -> None:
    """As on the first night of an installation."""
    settings = Settings.from_env(tmp_path / "home")
    token(settings, Role.ANALYST)
    assert back_up(settings, tmp_path / "b.tar", now=AS_OF).record_version == 0
    restore(tmp_path / "b.tar", Settings.from_env(tmp_path / "again"), keys_of(settings))
    assert (tmp_path / "again" / "state.db").exists()


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder that everybody may look into and its owner alone may write to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_restore_goes_into_a_home_that_is_a_mount_with_disks_of_its_own_and_after_one_that_was_killed(
    office: Settings, elsewhere: Path
) -> None:
    """As in a container: nothing can be written beside the home, and `backups` is mounted in it."""
    if os.geteuid() != 0:
        pytest.skip("becomes somebody else, as root alone can")
    archive, home = elsewhere / "b.tar", elsewhere / "home"
    back_up(office, archive, now=AS_OF)
    archive.chmod(0o644)
    (home / "backups").mkdir(parents=True)
    (home / "backups" / "risk-old.tar.gz").write_bytes(b"kept")
    (home / ".profile").write_bytes(b"of a user whose home it is")
    (home / ".restore-killed" / "home").mkdir(parents=True)
    (home / ".restore-killed" / "home" / "state.db").write_bytes(b"half")
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    code = (
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "from serving.jobs.backup import restore\n"
        "from serving.settings import Settings\n"
        "keys = {name: bytes.fromhex(content) for name, content in json.load(sys.stdin).items()}\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "restore(Path(sys.argv[1]), Settings.from_env(Path(sys.argv[2])), keys)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(archive), str(home)], capture_output=True, text=True,
        input=json.dumps({name: content.hex() for name, content in keys_of(office).items()}),
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (home / "backups" / "risk-old.tar.gz").read_bytes() == b"kept"
    assert list(home.glob(".restore-*")) == []
    assert Record(home / "record").version() == Record(office.record_url).version()


def test_restore_never_overwrites(office: Settings, tmp_path: Path) -> None:
    back_up(office, tmp_path / "b.tar", now=AS_OF)
    with pytest.raises(ValueError, match="not empty"):
        restore(tmp_path / "b.tar", office, keys_of(office))


def test_doctor_says_what_is_there_and_what_is_wrong(office: Settings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(office.home, home)
    whole = CliRunner().invoke(app, ["--home", str(home), "doctor"])
    assert "✓ record" in whole.output
    assert "✓ model: v1" in whole.output
    assert "✓ list" in whole.output
    assert "✓ database: sqlite answers" in whole.output
    (home / "models" / "lateness" / "v1" / "manifest.json").write_text("{}")
    bad = CliRunner().invoke(app, ["--home", str(home), "doctor"])
    assert bad.exit_code == 1
    assert "✗ model: rule" in bad.output
    fresh = CliRunner().invoke(app, ["--home", str(tmp_path / "fresh"), "doctor"])
    assert "– record: empty; run: risk ingest" in fresh.output
