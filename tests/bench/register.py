#!/usr/bin/env python3
"""Draws the benchmark's register: an SQLite file with one row per person, the same for the same rows and seed.

Usage: tests/bench/register.py FILE [--rows N] [--seed N] | tests/bench/register.py FILE --truths

`residents(person_id, country_of_birth, sex, age, income)`: 50 origins, the largest about 24 times the smallest (of a
million rows none has fewer than 7,000), 2 sexes, ages 0 to 89, incomes 0 to 100,000, most of them small. `--truths` prints
what the register holds: persons by origin and sex, and rows and summed income by origin.
"""
import argparse
import bisect
import itertools
import json
import os
import pathlib
import random
import sqlite3
import sys
import tempfile

# The African states but the four smallest (ISO 3166-1 alpha-3).
ORIGINS = (
    "AGO BDI BEN BFA BWA CAF CIV CMR COD COG DJI DZA EGY ERI ETH GAB GHA GIN GMB GNB GNQ KEN LBR LBY LSO "
    "MAR MDG MLI MOZ MRT MUS MWI NAM NER NGA RWA SDN SEN SLE SOM SSD SWZ TCD TGO TUN TZA UGA ZAF ZMB ZWE"
).split()
SEXES = ("F", "M")
AGES = 90
INCOME_MOST = 100_000

TABLE = """
CREATE TABLE residents (
    person_id INTEGER PRIMARY KEY,
    country_of_birth TEXT,
    sex TEXT,
    age INTEGER,
    income INTEGER
)"""
COUNTS = "SELECT country_of_birth, sex, COUNT(*) FROM residents GROUP BY 1, 2 ORDER BY 1, 2"
INCOMES = "SELECT country_of_birth, COUNT(income), SUM(income) FROM residents GROUP BY 1 ORDER BY 1"


def persons(rows, seed):
    """The rows. Of `random` only `random()` is promised to stay the same, and `sum` of floats differs between versions."""
    draw = random.Random(seed).random
    # A fifth is shared out equally, the rest as 1 / rank; of a million rows these are about the sizes.
    upto = list(itertools.accumulate(4_000 + 178_000 // rank for rank in range(1, len(ORIGINS) + 1)))
    # Levels from 60,000 to 140,000; what exceeds the most is the most, as where a register's top incomes are coded alike.
    levels = [60_000 + 1_600 * (rank * 7 % len(ORIGINS)) for rank in range(len(ORIGINS))]
    for person in range(1, rows + 1):
        origin = bisect.bisect(upto, draw() * upto[-1])
        sex, age, share = SEXES[draw() < 0.5], int(AGES * draw()), draw()
        yield person, ORIGINS[origin], sex, age, min(INCOME_MOST, int(levels[origin] * share * share * share))


def shown(rows, of):
    """The rows as they are, with a line of progress on a terminal."""
    is_terminal = sys.stderr.isatty()
    for number, row in enumerate(rows):
        if is_terminal and number % 50_000 == 0:
            print(f"\rdrawing the register: {100 * number // of:3} %", end="", file=sys.stderr, flush=True)
        yield row
    if is_terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def make(file, rows=1_000_000, seed=1):
    """Makes the register at this path, whole or not at all."""
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        connection = sqlite3.connect(draft)
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLE)
        connection.executemany("INSERT INTO residents VALUES (?, ?, ?, ?, ?)", shown(persons(rows, seed), rows))
        connection.commit()
        connection.close()
        os.fsync(handle)
        os.replace(draft, file)
    except BaseException:
        os.unlink(draft)
        raise
    finally:
        os.close(handle)


def cached(folder, rows, seed=1):
    """The register of `rows` rows in this folder, drawn if it is not there. `v1` is this page's way of drawing."""
    file = pathlib.Path(folder) / f"register-v1-{rows}-{seed}.sqlite"
    if not file.exists():
        make(file, rows, seed)
    return file


def read_only(file):
    """A connection that cannot change the register."""
    return sqlite3.connect(f"{pathlib.Path(file).resolve().as_uri()}?mode=ro", uri=True)


def truths(file):
    """What the register holds: `[origin, sex, persons]` and `[origin, rows, summed income]`."""
    connection = read_only(file)
    counts, incomes = (connection.execute(sql).fetchall() for sql in (COUNTS, INCOMES))
    connection.close()
    return {"counts": counts, "incomes": incomes}


def main():
    reader = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    reader.add_argument("file", type=pathlib.Path)
    reader.add_argument("--rows", type=int, default=1_000_000, metavar="N")
    reader.add_argument("--seed", type=int, default=1, metavar="N")
    reader.add_argument("--truths", action="store_true", help="print what the register at FILE holds, as JSON")
    words = reader.parse_args()
    if words.truths:
        print(json.dumps(truths(words.file)))
    else:
        make(words.file, words.rows, words.seed)


if __name__ == "__main__":
    main()
