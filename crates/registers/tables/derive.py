#!/usr/bin/env python3
"""Derives the committed tables from tidy copies of the United Nations' figures.

Usage: derive.py FOLDER, where FOLDER holds undesa_ims2024/, undesa_ims2019_age/, wpp/ and countries/ with the columns
that SOURCES.md describes. Writes beside itself. Values are copied; nothing is estimated.
"""
import csv
import gzip
import io
import pathlib
import sys

OFFICES = "BEN BFA CIV CPV GHA GIN GMB GNB LBR MLI NER NGA SEN SLE TGO".split()
SEX = {"female": "F", "male": "M"}
# Entries of the country list that are not in ISO 3166-1, beside those without a numeric code.
NOT_ISO = {"OOO", "XCX", "ANT"}
# Long names, for a terminal's table.
SHORT = {
    "BOL": "Bolivia", "COD": "DR Congo", "COG": "Congo", "FSM": "Micronesia", "GBR": "United Kingdom",
    "HKG": "Hong Kong SAR, China", "IRN": "Iran", "LAO": "Lao PDR", "MAC": "Macao SAR, China",
    "NLD": "Netherlands", "OOO": "Others and unknown", "PRK": "DPR Korea", "PSE": "State of Palestine",
    "SYR": "Syria", "TZA": "Tanzania", "USA": "United States", "VCT": "St Vincent and Grenadines",
    "VEN": "Venezuela",
}
HERE = pathlib.Path(__file__).parent


def read(path):
    raw = gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")
    with raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def write(name, header, rows):
    with open(HERE / name, "w", encoding="utf-8", newline="") as out:
        out.write(",".join(header) + "\n")
        for row in rows:
            fields = [str(field) for field in row]
            assert not any("," in field or '"' in field for field in fields), fields
            out.write(",".join(fields) + "\n")


def main(folder):
    stocks = [r for r in read(folder / "undesa_ims2024/ims2024_africa_destinations_2024.csv") if r["destination"] in OFFICES]
    cells = sorted((r["destination"], r["origin"], SEX[r["sex"]], int(r["n"])) for r in stocks)
    assert len(cells) == 958 and sum(c[3] for c in cells) == 8_040_400
    assert all(destination != origin for destination, origin, _, _ in cells)
    write("origins.csv", ["office", "origin", "sex", "persons"], cells)

    ages = [r for r in read(folder / "undesa_ims2019_age/ims2019_destination_age_sex.csv.gz")
            if r["destination"] in OFFICES and r["year"] == "2019"]
    order = lambda row: (row[0], row[1], int(row[2].rstrip("+").split("-")[0]))
    rows = sorted(((r["destination"], SEX[r["sex"]], r["age"], int(r["n"])) for r in ages), key=order)
    assert len(rows) == 15 * 2 * 16
    write("ages.csv", ["office", "sex", "age", "persons"], rows)

    basis = {r["destination"]: {"10": "birth", "01": "citizenship", "11": "both"}[r["type_b"] + r["type_c"]] for r in stocks}
    people = read(folder / "wpp/wpp2024_pop_sex_2024_2035.csv.gz")
    population = [r for r in people if r["iso3"] in OFFICES and r["year"] == "2024"]
    whole = lambda thousands: round(float(thousands) * 1000)
    rows = sorted((r["iso3"], whole(r["popF"]), whole(r["popM"]), basis[r["iso3"]]) for r in population)
    assert len(rows) == 15
    write("offices.csv", ["office", "females", "males", "basis"], rows)

    countries = {r["iso3"]: r for r in read(folder / "countries/countries_m49.csv")}
    names = {code: SHORT.get(code, countries[code]["name"]).replace(", ", " ") for code in countries}
    write("countries.csv", ["code", "name"], sorted((code, names[code]) for code in {c[1] for c in cells} | set(OFFICES)))
    codes = sorted(code for code, r in countries.items() if r["m49"] and code not in NOT_ISO)
    assert len(codes) == 249 and {"TWN", "NAM", "PSE", "ESH"} <= set(codes)
    codelist = HERE.parents[1] / "policy/src/codelists/iso3166-1-alpha-3.txt"
    codelist.write_text("".join(code + "\n" for code in codes), encoding="ascii")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: derive.py FOLDER")
    main(pathlib.Path(sys.argv[1]))
