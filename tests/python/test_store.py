# SPDX-License-Identifier: Apache-2.0
"""Stores of finished rows: whole, or an error that names the file."""

import errno
import json
import os

import numpy as np
import pyarrow.parquet
import pytest
from offray.experiment._store import Store

ROWS = {
    f"block {k}": [{"seed": s, "value": float(np.sin(37 * k + s)), "law": f"law {k}"} for s in range(40)] for k in range(12)
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "rows.parquet"
    store = Store(path)
    for key, rows in ROWS.items():
        store.add(key, rows)
    store.flush()
    return path


def read(path):
    store = Store(path)
    return {key: store.rows(key) for key in ROWS}


def test_what_was_written_is_read(path):
    assert read(path) == ROWS


def test_cut_at_every_kilobyte(path):
    whole = path.read_bytes()
    for length in range(0, len(whole), 1024):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"store: .*rows\.parquet: damaged"):
            read(path)


def test_a_flipped_byte_in_every_kilobyte(path):
    """Either it changes nothing that is read, or it is noticed."""
    whole = path.read_bytes()
    noticed = 0
    for at in range(100, len(whole), 256):
        broken = bytearray(whole)
        broken[at] ^= 0x10
        path.write_bytes(bytes(broken))
        try:
            found, words = read(path), ""
        except ValueError as error:
            found, words = None, str(error)
        noticed += found is None
        # The text of the footer has no checksum.
        assert "rows.parquet" in words or json.dumps(found) == json.dumps(ROWS) or at > len(whole) - 6000
    assert noticed > 3


def test_a_full_disk_keeps_the_last_complete_file(path, monkeypatch):
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pyarrow.parquet, "write_table", full)
    store = Store(path)
    store.add("another", [{"seed": 1}])
    with pytest.raises(OSError, match=r"rows\.parquet: the finished rows could not be written.*No space left"):
        store.flush()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_pages_carry_checksums(path):
    """Damage to the data, which Parquet itself would decode without a word, is found."""
    whole = bytearray(path.read_bytes())
    value = np.float64(ROWS["block 3"][7]["value"]).tobytes()
    at = bytes(whole).find(value)
    if at < 0:  # compressed or encoded: take the middle of the data
        at = len(whole) // 4
    whole[at] ^= 0x01
    path.write_bytes(bytes(whole))
    with pytest.raises(ValueError, match=r"rows\.parquet"):
        read(path)
