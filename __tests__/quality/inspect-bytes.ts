import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import type { Fault } from '../../quality/findings.ts';
import { createInspection, type InspectOptions } from '../../quality/inspect.ts';
import type { EnginePorts } from '../../quality/ports.ts';
import type { QualityReport } from '../../quality/report.ts';

const schemaFile = new URL('../../quality/report.schema.json', import.meta.url);
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(schemaFile, 'utf8')),
);

/** Throws unless the report, as JSON, has the shape that the repository's JSON Schema describes. */
export function assertReportShape(report: QualityReport): void {
  if (!validate(JSON.parse(JSON.stringify(report)))) {
    throw new Error(JSON.stringify(validate.errors, null, 2));
  }
}

/** Inspects a file given as text or bytes; every report is held against the JSON Schema. */
export function inspectBytes(
  file: string | Uint8Array,
  options: InspectOptions = {},
  chunkSizes: readonly number[] = [],
  ports: EnginePorts = NODE_PORTS,
): QualityReport {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  const inspection = createInspection(ports, { clock: () => 0, ...options });
  for (const chunk of cut(bytes, chunkSizes)) inspection.write(chunk);
  const report = inspection.end();
  assertReportShape(report);
  return report;
}

/**
 * Cuts bytes into chunks of these sizes, used in turn; one chunk without any. As where a file is read into the same memory
 * over and over, a chunk holds something else as soon as the next one is asked for.
 */
export function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    yield chunk;
    chunk.fill('"');
    at += size;
  }
}

/** `type record:field` of each fault, `-` where there is none. */
export function places(report: QualityReport): string[] {
  return report.faults.map(place);
}

function place({ type, record, field }: Fault): string {
  return `${type} ${record ?? '-'}:${field ?? '-'}`;
}
