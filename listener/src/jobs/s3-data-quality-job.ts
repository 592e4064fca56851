import {
  type AcceptedDelivery,
  type DeliveredColumn,
  labelToken,
  neededHistory,
  needsDeliveryTime,
} from '@file-processing/quality/delivery-rules.ts';
import { DescriptorError } from '@file-processing/quality/descriptor-error.ts';
import {
  type CompiledExpectation,
  type Expectation,
  ExpectationCache,
} from '@file-processing/quality/expectation.ts';
import { inspectCsv } from '@file-processing/quality/inspect.ts';
import type { EnginePorts, Reference } from '@file-processing/quality/ports.ts';
import { ReferenceKeyCollector } from '@file-processing/quality/reference-keys.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import type { Mapping } from '../database/mappings.ts';
import { withhold } from '../privacy/withhold.ts';
import { ObjectUnavailableError, type OpenedObject } from '../storage/object-store.ts';
import { inSpan } from '../tracing/tracing.ts';
import type { Job, JobContext, JobOutcome, Unmonitored } from './job.ts';
import type { MonitoredFile } from './monitored-file.ts';

const EXPECTATIONS = new ExpectationCache();

/** Looks up what is expected of an object, reads it once and judges it. */
export const s3DataQualityJob: Job = {
  name: 's3_data_quality_job',

  async run(object, context) {
    const { store, findMonitoredFile, engine, maxFaults, unmonitored, signal, onProgress } =
      context;
    const monitored = await findMonitoredFile(object);
    const end = new AbortController();
    try {
      const reading = AbortSignal.any([signal, end.signal]);
      const opened = await store.open(object, reading);
      const { bytes, sizeBytes } = opened;
      const compiled = monitored === undefined ? undefined : compiledMapping(monitored.mapping);
      const [history, deliveredAt, references] = await Promise.all([
        historyFor(compiled, monitored, context),
        deliveryTimeFor(compiled, context),
        referencesFor(compiled, monitored, context),
      ]);
      const { fieldsReferredTo: referredTo = [] } = monitored ?? {};
      const collector =
        referredTo.length === 0
          ? undefined
          : new ReferenceKeyCollector(referredTo, engine.ports, engine);
      const report = await inSpan('read and judge', {}, async (span) => {
        const judged = await inspectCsv(bytes, engine.ports, {
          maxKeyBytes: engine.maxKeyBytes,
          ...engine.unpackLimits,
          sizeBytes,
          ...(compiled === undefined ? {} : { compiled }),
          ...(history === undefined ? {} : { history }),
          ...(deliveredAt === undefined ? {} : { deliveredAt }),
          references,
          ...(collector === undefined ? {} : { rowReader: collector.read }),
          maxFaults,
          signal,
          ...(onProgress === undefined
            ? {}
            : { onProgress: (read, rows) => onProgress({ bytes: read, rows, sizeBytes }) }),
        });
        span.set({ 'file_processing.bytes': judged.bytes, 'file_processing.rows': judged.rows });
        return judged;
      });
      const protectsUndeclared = monitored !== undefined || !store.isLocal;
      const ruled = withRules(report, monitored?.mapping, unmonitored);
      const whole = await withSource(ruled, opened);
      const columns = deliveredColumns(report, engine.ports);
      const keys = collector?.collected() ?? [];
      return {
        status: 'finished',
        ...withhold(whole, protectsUndeclared),
        monitored,
        columns,
        keys,
      };
    } catch (error) {
      return outcomeOf(error);
    } finally {
      // Frees the connection of what was not read to its end.
      end.abort(ENDED);
    }
  },
};

/** The same for all files: without one, each makes an error with a stack. */
const ENDED = new Error('the object is read no further');

/** Adds what is known of where the bytes came from; a verdict on other bytes than the store's is thrown away. */
async function withSource(
  report: QualityReport,
  { compareChecksum, contentEncoding }: OpenedObject,
): Promise<QualityReport> {
  const checksum = await compareChecksum(report.sha256);
  const source = { checksum, contentEncoding: contentEncoding ?? null };
  if (contentEncoding === undefined || report.verdict === 'passed' || report.compression) {
    return { ...report, source };
  }
  const encoded = `The file is stored with Content-Encoding ${contentEncoding} and was judged as it is stored.`;
  return { ...report, reasons: [...report.reasons, encoded], source };
}

/** Says by which rules a file was judged, and what it means that there are none. */
export function withRules(
  report: QualityReport,
  mapping: Pick<Mapping, 'name' | 'version'> | undefined,
  unmonitored: Unmonitored = 'judge',
): QualityReport {
  if (mapping !== undefined) {
    // 0 is the version that a rule set derives only when it is applied.
    const { name, version } = mapping;
    return { ...report, rules: version === 0 ? name : `${name} ${version}` };
  }
  const none = { ...report, rules: NO_RULES };
  if (unmonitored === 'judge' || report.verdict === 'unreadable') return none;
  if (unmonitored === 'warn' && report.verdict !== 'passed') return none;
  const reason = `No rules: no monitored file fits its key, so its structure alone was judged (UNMONITORED is ${unmonitored}).`;
  const verdict = unmonitored === 'warn' ? 'warned' : 'failed';
  return { ...none, verdict, reasons: [...report.reasons, reason] };
}

/** What a report has in the place of a mapping where there was none. */
export const NO_RULES = 'none';

/**
 * @throws {DescriptorError} that names the places, and not what the rules say there: it ends in logs and dead letters, and the
 *   texts of a sensitive field's rules count as its values
 */
function compiledMapping(mapping: Mapping): CompiledExpectation {
  try {
    return EXPECTATIONS.compile(expectationOf(mapping));
  } catch (error) {
    if (!(error instanceof DescriptorError)) throw error;
    const name = `mapping ${mapping.name} ${mapping.version}`;
    const message = "can't be used: rules check says why of its file";
    throw new DescriptorError(
      error.problems.map(({ path }) => ({ path: `${name}, ${path}`, message })),
    );
  }
}

/** The database and the definitions keep the parts as opaque JSON; inspectCsv checks them anew. */
export function expectationOf({
  tableSchema,
  dialect,
  thresholds,
  rules,
}: Omit<Mapping, 'name' | 'version'>): Expectation {
  const parts = { schema: tableSchema, dialect, thresholds, ...(rules ? { rules } : {}) };
  return parts as unknown as Expectation;
}

/** The columns as later deliveries are compared with them: labels that are not names of fields are not kept. */
function deliveredColumns({ columns }: QualityReport, ports: EnginePorts): DeliveredColumn[] {
  return columns.map(({ label, name, type, declared }) => ({
    label: label === name ? label : labelToken(label, ports),
    type,
    declared,
  }));
}

/** What rules that look back need; nothing is read where none does. */
async function historyFor(
  expectation: CompiledExpectation | undefined,
  monitored: MonitoredFile | undefined,
  { acceptedBefore }: JobContext,
): Promise<readonly AcceptedDelivery[] | undefined> {
  if (expectation === undefined || monitored === undefined || acceptedBefore === undefined)
    return undefined;
  const deliveries = neededHistory(expectation.rules);
  return deliveries === 0 ? undefined : acceptedBefore(monitored, deliveries);
}

/** What rules of freshness need; nothing is read where there are none. */
async function deliveryTimeFor(
  expectation: CompiledExpectation | undefined,
  { deliveredAt }: JobContext,
): Promise<string | undefined> {
  return expectation !== undefined && needsDeliveryTime(expectation.rules)
    ? deliveredAt?.()
    : undefined;
}

/** What foreign keys of other files need; nothing is read where there are none. */
async function referencesFor(
  expectation: CompiledExpectation | undefined,
  monitored: MonitoredFile | undefined,
  { referenceKeys }: JobContext,
): Promise<readonly Reference[]> {
  const references = expectation?.schema?.references ?? [];
  if (references.length === 0 || monitored === undefined || referenceKeys === undefined) return [];
  return referenceKeys(
    monitored,
    references.map(({ resource, reference: fields }) => ({ resource, fields })),
  );
}

function outcomeOf(error: unknown): JobOutcome {
  if (!(error instanceof ObjectUnavailableError)) throw error;
  const status = error.code === 'object-gone' ? 'gone' : 'replaced';
  return { status, reason: error.message };
}

/** Every job by its name. */
export const JOBS: ReadonlyMap<string, Job> = new Map(
  [s3DataQualityJob].map((job) => [job.name, job]),
);
