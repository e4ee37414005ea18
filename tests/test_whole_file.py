"""Files are whole at every moment: what fails half-way leaves the old one, half a line is nobody's."""

from contextlib import suppress
from pathlib import Path

from features.atomic_file import add_line, replacing, whole_lines


def test_a_file_is_replaced_at_the_end_of_the_block_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    with replacing(path, 0o600) as file:
        file.write(b"old")
    assert path.stat().st_mode & 0o777 == 0o600
    with suppress(OSError), replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        raise OSError("disk full")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path], "nothing is left behind"


def test_half_a_line_is_not_read_and_taken_away_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    assert whole_lines(path) == []
    add_line(path, b"one")
    with path.open("ab") as file:
        file.write(b"tw")
    assert whole_lines(path) == [b"one"]
    add_line(path, b"two")
    assert path.read_bytes() == b"one\ntwo\n"
