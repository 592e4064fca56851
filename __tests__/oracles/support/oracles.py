"""Answers, as JSON, what others make of files and cells; what is asked comes as JSON on the standard input.

cells: Python's csv, strict, of each text; null where it refuses the text.
tables: frictionless' errors of each file, as its type, row and field; rows count the header, from 1.
values: DuckDB's values of cells by SQL type, as texts; null where it has none.
"""

import csv
import io
import json
import sys


def cells(texts):
    csv.field_size_limit(1 << 24)
    answers = []
    for text in texts:
        try:
            answers.append(list(csv.reader(io.StringIO(text, newline=""), strict=True)))
        except csv.Error:
            answers.append(None)
    return answers


def tables(files):
    from frictionless import Resource, Schema, system

    answers = []
    with system.use_context(trusted=True):
        for file in files:
            schema = Schema.from_descriptor(file["schema"])
            report = Resource(path=file["path"], encoding="utf-8", schema=schema).validate()
            answers.append(report.flatten(["type", "rowNumber", "fieldNumber"]))
    return answers


def values(groups):
    import duckdb

    connection = duckdb.connect()
    answers = {}
    for kind, texts in groups.items():
        answers[kind] = [
            connection.execute(f"SELECT TRY_CAST(TRY_CAST(? AS {kind}) AS VARCHAR)", [text]).fetchone()[0]
            for text in texts
        ]
    return answers


asked = json.load(sys.stdin)
answers = {"cells": cells, "tables": tables, "values": values}
json.dump({name: answers[name](question) for name, question in asked.items()}, sys.stdout)
