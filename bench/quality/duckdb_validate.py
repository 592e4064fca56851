"""One measurement of DuckDB: FILE MODE (typed or keyed); prints CPU seconds and peak MB as JSON.

The rules are those of sample-file.ts: types while reading, rejected lines stored, constraints as sums of what breaks
them, and for `keyed` the primary key as a count of its distinct values.
"""

import json
import resource
import sys

import duckdb

file, mode = sys.argv[1:3]
before = resource.getrusage(resource.RUSAGE_SELF)
connection = duckdb.connect()
connection.execute("SET threads = 1")
keys = ", count(badge) - count(DISTINCT badge)" if mode == "keyed" else ""
broken = connection.execute(
    f"""
    SELECT count(*) FILTER (badge IS NULL OR badge < 1),
           count(*) FILTER (last_name IS NULL OR length(last_name) > 40),
           count(*) FILTER (rank NOT IN ('officer', 'sergeant', 'captain')),
           count(*) FILTER (hired < DATE '1960-01-01'),
           count(*) FILTER (salary < 0),
           count(*) FILTER (NOT regexp_full_match(unit, '[A-Z]{{2}}-\\d{{3}}')),
           max(first_name), max(active), max(updated), max(remarks){keys}
    FROM read_csv(?, header = true, delim = ',', quote = '"', escape = '"', auto_detect = false,
                  store_rejects = true, columns = {{
        'badge': 'BIGINT', 'last_name': 'VARCHAR', 'first_name': 'VARCHAR', 'rank': 'VARCHAR',
        'hired': 'DATE', 'salary': 'DOUBLE', 'active': 'BOOLEAN', 'unit': 'VARCHAR',
        'updated': 'TIMESTAMP', 'remarks': 'VARCHAR'}})
    """,
    [file],
).fetchall()[0]
counts = [*broken[:6], *broken[10:]]
[(rejected,)] = connection.execute("SELECT count(*) FROM reject_errors").fetchall()
if any(counts) or rejected:
    raise SystemExit(f"the valid sample breaks rules: {counts}, {rejected} lines rejected")
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({"cpuSeconds": cpu, "peakMb": after.ru_maxrss // 1024}))
