"""One measurement of frictionless: FILE SCHEMA; prints CPU seconds and peak MB as JSON."""

import json
import resource
import sys

from frictionless import Resource, Schema, system

before = resource.getrusage(resource.RUSAGE_SELF)
with system.use_context(trusted=True):
    report = Resource(path=sys.argv[1], schema=Schema.from_descriptor(sys.argv[2])).validate()
if not report.valid:
    raise SystemExit(f"the valid sample has {report.stats['errors']} errors")
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({"cpuSeconds": cpu, "peakMb": after.ru_maxrss // 1024}))
