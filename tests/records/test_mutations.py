"""Files damaged at random: read, or refused with one of our messages; never anything else."""

from __future__ import annotations

import random

import pytest

from grouper.errors import GrouperError
from grouper.records.read import read_records, records_from_table
from grouper.records.write import write_results

FORMS = ("a.csv", "a.tsv", "a.xlsx", "a.parquet", "a.jsonl", "a.json")
PIECES = (b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"|", b"{", b"null", "，".encode(), b"9" * 20)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, put in, taken out, or the end cut off."""
    spoilt = bytearray(data)
    for _ in range(rng.choice([1, 1, 3, 20])):
        at = rng.randrange(len(spoilt) + 1)
        action = rng.randrange(10)
        if action < 4:
            spoilt[at : at + 1] = bytes([rng.randrange(256)])
        elif action < 7:
            spoilt[at:at] = rng.choice(PIECES)
        elif action < 9:
            del spoilt[at : at + rng.randrange(1, 50)]
        elif rng.random() < 0.2:
            del spoilt[at:]
    return bytes(spoilt)


@pytest.mark.parametrize("name", FORMS)
def test_a_damaged_file_is_read_or_refused(sample, tmp_path, name):
    user = records_from_table(sample.slice(0, 20)).user
    sound = write_results(tmp_path / name, user, []).read_bytes()
    rng = random.Random(name)
    path = tmp_path / f"damaged-{name}"
    refused: list[GrouperError] = []
    for _ in range(40):
        path.write_bytes(damaged(sound, rng))
        try:
            records = read_records(path)
        except GrouperError as error:
            refused.append(error)
            continue
        batch = records.batch
        assert len(batch) == len(records.user) == len(batch.dx) == len(batch.px) == len(batch.row)
        assert all(issue.text("zh") != issue.text("en") for issue in records.issues)
        write_results(tmp_path / "out.csv", records.user, [], overwrite="replace")
    assert all(error.text("zh") != error.text("en") for error in refused)
