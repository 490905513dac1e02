"""The cache is used while its file is the same, and only then."""

import os

import numpy as np
import pytest

from fkp.data.readers import cache


@pytest.fixture(autouse=True)
def user_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    return tmp_path / "user"


@pytest.fixture
def file(tmp_path):
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "a.txt"
    file.write_bytes(b"12345")
    return file


def count(file, **options):
    """Read the file through the cache: (its bytes, whether it was parsed)."""
    parsed = []

    def make():
        parsed.append(True)
        return {"bytes": np.frombuffer(file.read_bytes(), dtype=np.uint8)}

    return cache.arrays(file, [file], make, **options)["bytes"].tobytes(), bool(parsed)


def entries(folder):
    return sorted(folder.rglob("*.npz"))


def test_second_read_comes_from_the_cache(file, user_cache):
    assert count(file) == (b"12345", True)
    assert count(file) == (b"12345", False)
    assert [entry.parent.name for entry in entries(file.parent)] == [cache.FOLDER]
    assert not user_cache.exists()
    assert not list(file.parent.rglob("*.tmp"))


def test_a_relative_path_finds_the_same_entry(file, monkeypatch):
    count(file)
    monkeypatch.chdir(file.parent)
    assert count(type(file)("a.txt")) == (b"12345", False)


def test_options_have_entries_of_their_own(file):
    assert count(file, size=1)[1]
    assert count(file, size=2)[1]
    assert not count(file, size=1)[1]


def test_a_changed_file_of_the_same_size_and_date_is_read_again(file):
    count(file)
    stat = file.stat()
    file.write_bytes(b"12354")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file.stat().st_mtime_ns == stat.st_mtime_ns
    assert count(file) == (b"12354", True)
    assert len(entries(file.parent)) == 1


def test_a_touched_file_is_read_again(file):
    count(file)
    os.utime(file, ns=(1, 1))
    assert count(file) == (b"12345", True)


def test_a_file_that_changes_while_it_is_read_is_not_kept(file):
    def make():
        file.write_bytes(b"changed")
        return {"a": np.zeros(1)}

    cache.arrays(file, [file], make)
    assert not entries(file.parent)


@pytest.mark.parametrize("damage", [b"", b"not an npz", None])
def test_a_corrupt_entry_is_read_again(file, damage):
    count(file)
    (entry,) = entries(file.parent)
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 0xFF
    entry.write_bytes(bytes(content[: len(content) - 40]) if damage is None else damage)
    assert count(file) == (b"12345", True)
    assert count(file) == (b"12345", False)


def test_a_flipped_byte_in_an_entry_is_noticed(file):
    count(file)
    (entry,) = entries(file.parent)
    entry.write_bytes(entry.read_bytes().replace(b"12345", b"12344"))
    assert count(file) == (b"12345", True)


def test_a_read_only_folder_falls_back_to_the_users_cache(file, user_cache):
    file.parent.chmod(0o555)
    try:
        assert count(file) == (b"12345", True)
        assert count(file) == (b"12345", False)
        assert not entries(file.parent)
        assert len(entries(user_cache)) == 1
    finally:
        file.parent.chmod(0o755)


def test_an_unwritable_cache_folder_falls_back_too(file, user_cache):
    (file.parent / cache.FOLDER).write_text("a file where the folder should be")
    assert count(file) == (b"12345", True)
    assert count(file) == (b"12345", False)
    assert len(entries(user_cache)) == 1


def test_nowhere_to_write_is_no_error(file, user_cache):
    (file.parent / cache.FOLDER).write_text("")
    user_cache.write_text("")
    assert count(file) == (b"12345", True)
    assert count(file) == (b"12345", True)


def test_big_files_are_sampled_to_their_end(tmp_path):
    file = tmp_path / "big"
    file.write_bytes(bytes(1_000_000))
    os.utime(file, ns=(1, 1))
    before = cache.fingerprint([file])
    assert before == cache.fingerprint([file])
    file.write_bytes(bytes(999_999) + b"1")
    os.utime(file, ns=(1, 1))
    assert before != cache.fingerprint([file])


def test_save_leaves_nothing_half_written(tmp_path, monkeypatch):
    def fail(stream, **arrays):
        stream.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        cache.save(tmp_path / "a.npz", {"a": np.zeros(1)})
    assert not list(tmp_path.iterdir())
