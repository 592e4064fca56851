/** One measurement in a process of its own: `measure.ts MODE FILE [MODULE or COLUMNS]` prints seconds, CPU seconds and peak MB as JSON. */
import { createReadStream, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inspectCsv } from '@file-processing/quality/inspect.ts';
import { fileSource, NODE_PORTS, nodePorts } from '../../listener/src/jobs/engine-ports.ts';
import { RangeThreadPool } from '../../listener/src/jobs/range-threads.ts';
import { ScratchSpace } from '../../listener/src/jobs/scratch-space.ts';
import { HARD_PATTERN, KEY_FIELD, SAMPLE_SCHEMA, TEXT_PATTERN } from './sample-file.ts';

const [given = '', file = '', module = ''] = process.argv.slice(2);
const isParallel = given.startsWith('parallel-');
const mode = given.replace('parallel-', '');
const began = performance.now();
const before = process.cpuUsage();

if (mode === 'csv-parse') {
  const { parse } = await import(pathToFileURL(module).href);
  let records = 0;
  for await (const record of createReadStream(file).pipe(parse()))
    records += record.length > 0 ? 1 : 0;
  if (records === 0) throw new Error('csv-parse read no record');
} else if (mode.startsWith('keys')) {
  const type = mode === 'keys-integer' ? 'integer' : 'string';
  const field = { name: KEY_FIELD, type, constraints: { unique: true } } as const;
  const { verdict } = await inspectCsv(fileSource(file, NODE_PORTS).chunks, NODE_PORTS, {
    expectation: { schema: { fields: [field] } },
    sizeBytes: statSync(file).size,
    ...(mode === 'keys-on-disk' ? { maxKeyBytes: 16 * 1024 * 1024 } : {}),
  });
  if (verdict !== 'passed') throw new Error(`different keys have ${verdict}`);
} else if (mode.startsWith('pattern')) {
  const pattern = mode === 'pattern-hard' ? HARD_PATTERN : TEXT_PATTERN;
  const field = { name: KEY_FIELD, type: 'string', constraints: { pattern } } as const;
  const { verdict } = await inspectCsv(fileSource(file, NODE_PORTS).chunks, NODE_PORTS, {
    expectation: { schema: { fields: [field] } },
  });
  if (verdict !== 'passed') throw new Error(`texts that match ${pattern} have ${verdict}`);
} else if (mode === 'wide') {
  const fields = Array.from({ length: Number(module) }, (_, column) => {
    return { name: `c${column}`, type: 'integer', constraints: { minimum: 0 } } as const;
  });
  const { verdict } = await inspectCsv(fileSource(file, NODE_PORTS).chunks, NODE_PORTS, {
    expectation: { schema: { fields } },
  });
  if (verdict !== 'passed') throw new Error(`the wide file has ${verdict}`);
} else {
  const { primaryKey, ...unkeyed } = SAMPLE_SCHEMA;
  const schema = mode === 'keyed' ? { ...unkeyed, primaryKey } : unkeyed;
  // Every row has a value that is not of its type, and one that breaks a constraint.
  const faulty = schema.fields.map((field) => {
    if (field.name === 'active') return { ...field, type: 'date' as const };
    return field.name === 'rank' ? { ...field, constraints: { enum: ['general'] } } : field;
  });
  const ports = isParallel
    ? nodePorts(new ScratchSpace({ maxBytes: 2 ** 30 }), new RangeThreadPool(1))
    : NODE_PORTS;
  const expectation = { schema: mode === 'faulty' ? { fields: faulty } : schema };
  const sizeBytes = statSync(file).size;
  const { chunks, heldChunks } = fileSource(file, ports, sizeBytes);
  const report = await inspectCsv(chunks, ports, {
    ...(mode === 'profile' ? {} : { expectation }),
    sizeBytes,
    heldChunks,
  });
  const expected = mode === 'faulty' ? 'failed' : 'passed';
  if (report.verdict !== expected) throw new Error(`the sample has ${report.verdict} as ${mode}`);
}

const { user, system } = process.cpuUsage(before);
const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, peakMb }));
