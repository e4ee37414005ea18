"""A restore that is killed, or finds no room, leaves a home that is empty or whole, or says what to do; the next begins
anew and ends whole."""

import errno
import os
import shutil
import signal
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from features.record.record import Record
from serving.access.permissions import Role
from serving.cli import app
from serving.jobs import backup, record_copy
from serving.jobs.backup import back_up, restore
from serving.jobs.restore_journal import PREFIX, Journal, insist_on_whole, sole_restore
from serving.settings import Settings
from serving.state import State, open_state
from serving.state.receipt import Receipt
from tests import drawn_store
from tests.bench.killed_paths import restore_until
from tests.bench.kills import SERVER
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, draw_office
from tests.drawn_people import token


def keys_of(settings: Settings) -> dict[str, bytes]:
    return {
        path.relative_to(settings.keys).as_posix(): path.read_bytes()
        for path in settings.keys.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = draw_office(tmp_path_factory.mktemp("office") / "home", dossiers=30)
    ship(settings.models, drawn_model(), "v1")
    token(settings, Role.ANALYST)
    return settings


@pytest.fixture(scope="module")
def archive(office: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "risk.tar"
    back_up(office, path, now=AS_OF)
    return path


def killed(archive: Path, settings: Settings, keys: dict[str, bytes], at: int, told: Path | None = None) -> bool:
    """Whether a restore in a process of its own was killed at that act."""
    process = SERVER.Process(target=restore_until, args=(archive, settings, keys, at, told))
    process.start()
    process.join(120)
    return process.exitcode == -signal.SIGKILL


def is_whole(settings: Settings, was: Settings) -> bool:
    """Whether all of the installation is there."""
    state = open_state(settings.database_url)
    state.close()
    return (keys_of(settings), Record(settings.record_url).version()) == (
        keys_of(was), Record(was.record_url).version()
    )  # fmt: skip


def in_home(home: Path) -> Settings:
    return replace(Settings.from_env(home), record_url=str(home / "record"), database_url=f"sqlite:///{home}/state.db")


def elsewhere(home: Path) -> Settings:
    beside = home.parent / "beside"
    return replace(in_home(home), record_url=str(beside / "lake"), database_url=f"sqlite:///{beside}/work.db")


def half(settings: Settings) -> bool:
    """Whether the home says that it is neither empty nor whole; else it must be one of them."""
    try:
        insist_on_whole(settings.home)
    except ValueError:
        told = CliRunner().invoke(app, ["--home", str(settings.home), "doctor"])
        assert "give the same `risk restore` again" in str(told.exception)
        return True
    return False


@pytest.mark.parametrize("placed", [in_home, elsewhere])
def test_a_restore_killed_anywhere_leaves_the_home_empty_or_says_so_and_the_next_one_ends(
    office: Settings, archive: Path, tmp_path: Path, placed: Callable[[Path], Settings]
) -> None:
    keys, told = keys_of(office), tmp_path / "acts"
    assert not killed(archive, placed(tmp_path / "first" / "home"), keys, 0, told)
    acts = told.read_text().splitlines()
    begun = next(number for number, act in enumerate(acts) if "places.json" in act and act.startswith("os.rename")) + 1
    moves = [number for number, act in enumerate(acts) if number > begun and act.startswith("os.rename")]
    for at in (begun // 2, begun + 1, moves[0] + 2, moves[-2] + 1, moves[-1] + 2, len(acts)):
        settings = placed(tmp_path / str(at) / "home")
        assert killed(archive, settings, keys, at), at
        assert half(settings) == (begun < at < len(acts) - 1), acts[at - 1]
        if at < begun:
            assert all(path.name.startswith(".") for path in settings.home.iterdir())
        if at < len(acts):
            restore(archive, settings, keys)
        assert is_whole(settings, office)
        assert not half(settings)
        assert [path.name for path in settings.home.glob(f"{PREFIX}*/*")] == []
        assert not list(settings.home.parent.glob("beside/.*"))


@pytest.mark.parametrize("placed", [in_home, elsewhere])
@pytest.mark.parametrize("step", ["unpack", "put_keys", "relocate"])
def test_a_full_disk_leaves_nothing_and_is_named(
    office: Settings, archive: Path, tmp_path: Path, step: str, placed: Callable[[Path], Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings, keys = placed(tmp_path / "home"), keys_of(office)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        if step == "unpack":
            patched.setattr(tarfile.TarFile, "extract", full)
        else:
            patched.setattr(backup, step, full)
        with pytest.raises(OSError, match=r"no room to restore .* taken back; make room, then restore again"):
            restore(archive, settings, keys)
    assert not settings.home.exists()
    assert not (tmp_path / "beside").exists() or list((tmp_path / "beside").iterdir()) == []
    restore(archive, settings, keys)
    assert is_whole(settings, office)


def test_a_disk_too_small_for_the_archive_is_no_damaged_archive(
    office: Settings, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match="no room to restore"):
        restore(archive, in_home(tmp_path / "home"), keys_of(office))
    assert not (tmp_path / "home").exists()


def test_one_restore_at_a_time(office: Settings, archive: Path, tmp_path: Path) -> None:
    settings = in_home(tmp_path / "home")
    with sole_restore(settings.home), pytest.raises(ValueError, match="another restore into"):
        restore(archive, settings, keys_of(office))
    assert not settings.home.exists()


def test_what_a_killed_restore_put_elsewhere_is_taken_back_under_its_own_settings_alone(
    office: Settings, archive: Path, tmp_path: Path
) -> None:
    """Else it would empty a database that is somebody's."""
    settings, keys = elsewhere(tmp_path / "home"), keys_of(office)
    folder = settings.home / f"{PREFIX}killed"
    folder.mkdir(parents=True)
    Journal(["record", "state.db"], settings.record_url, settings.database_url).write(folder)
    other = replace(settings, database_url=f"sqlite:///{tmp_path}/other.db")
    open_state(other.database_url).close()
    with pytest.raises(ValueError, match="with other settings"):
        restore(archive, other, keys)
    assert (tmp_path / "other.db").exists()
    restore(archive, settings, keys)
    assert is_whole(settings, office)


def test_a_database_that_was_put_to_use_since_is_not_taken_back(
    office: Settings, archive: Path, tmp_path: Path
) -> None:
    settings, keys = elsewhere(tmp_path / "home"), keys_of(office)
    folder = settings.home / f"{PREFIX}killed"
    folder.mkdir(parents=True)
    Journal([], None, settings.database_url).write(folder)
    since = Journal.written_at(folder) + timedelta(minutes=1)
    with open_state(settings.database_url) as state, state.writing() as session:
        session.add(Receipt(seq=1, at=since, actor="quantri", action="login", detail="{}", mac=""))
    with pytest.raises(ValueError, match="in use since"):
        restore(archive, settings, keys)
    with State(settings.database_url) as state, state.reading() as session:
        assert session.get(Receipt, 1) is not None
    assert folder.exists()


def test_a_restore_into_a_store_that_broke_off_is_taken_back_and_begins_anew(
    office: Settings, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with drawn_store.object_store(tmp_path) as store:
        for name, value in drawn_store.environment(store).items():
            monkeypatch.setenv(name, value)
        home, keys = tmp_path / "home", keys_of(office)
        settings = replace(in_home(home), record_url=drawn_store.bucket(store, "half"))
        put = record_copy.put
        folder = home / f"{PREFIX}killed"
        folder.mkdir(parents=True)
        (tmp_path / "part" / "event").mkdir(parents=True)
        (tmp_path / "part" / "event" / "of-the-killed.parquet").write_bytes(b"half")
        put(settings.record_url, tmp_path / "part")
        Journal(["record", "state.db"], settings.record_url, settings.database_url).write(folder)

        def breaks(url: str, source: Path) -> None:
            put(url, source)
            raise ConnectionResetError("the store is gone")

        with monkeypatch.context() as patched:
            patched.setattr(backup, "put", breaks)
            with pytest.raises(ConnectionResetError):
                restore(archive, settings, keys)
        record_copy.insist_on_no_record(settings.record_url)
        restore(archive, settings, keys)
        assert is_whole(settings, office)
        assert all(
            "of-the-killed" not in path for path in record_copy._listed(record_copy._root(settings.record_url), "event")
        )
