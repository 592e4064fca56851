/** One measurement in a process of its own: `measure.ts MODE FILE [MODULE]` prints CPU seconds and peak MB as JSON. */
import { createReadStream } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inspectCsv } from '@file-processing/quality/inspect.ts';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import { SAMPLE_SCHEMA } from './sample-file.ts';

const [mode = '', file = '', module = ''] = process.argv.slice(2);
const stream = createReadStream(file, { highWaterMark: 256 * 1024 });
const before = process.cpuUsage();

if (mode === 'csv-parse') {
  const { parse } = await import(pathToFileURL(module).href);
  let records = 0;
  for await (const record of stream.pipe(parse())) records += record.length > 0 ? 1 : 0;
  if (records === 0) throw new Error('csv-parse read no record');
} else {
  const { primaryKey, ...unkeyed } = SAMPLE_SCHEMA;
  const schema = mode === 'keyed' ? { ...unkeyed, primaryKey } : unkeyed;
  const report = await inspectCsv(
    stream,
    NODE_PORTS,
    mode === 'profile' ? {} : { expectation: { schema } },
  );
  if (report.verdict !== 'passed') throw new Error(`the valid sample is ${report.verdict}`);
}

const { user, system } = process.cpuUsage(before);
const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(JSON.stringify({ cpuSeconds: (user + system) / 1e6, peakMb }));
