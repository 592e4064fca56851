"""One measurement of DuckDB: FILE COLUMN; prints CPU seconds and peak MB as JSON."""

import json
import resource
import sys

import duckdb

file, column = sys.argv[1:3]
before = resource.getrusage(resource.RUSAGE_SELF)
connection = duckdb.connect()
connection.execute("SET threads = 1")
[(repeated,)] = connection.execute(
    f"""
    SELECT count({column}) - count(DISTINCT {column})
    FROM read_csv(?, header = true, delim = ',', quote = '"', escape = '"', auto_detect = false,
                  store_rejects = true, columns = {{'{column}': 'VARCHAR'}})
    """,
    [file],
).fetchall()
if repeated:
    raise SystemExit(f"{repeated} of the different keys are repeated")
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({"cpuSeconds": cpu, "peakMb": after.ru_maxrss // 1024}))
