import {
  type DestinationStream,
  type Logger,
  pino,
  type SerializedError,
  stdSerializers,
  stdTimeFunctions,
} from 'pino';
import { printable } from '../cli/report-text.ts';
import type { Config } from '../config.ts';
import { activeIds } from '../tracing/tracing.ts';

/**
 * Properties that libraries give their errors, whatever they hold; `input` is what `new URL` refused.
 * Each by its whole path: patterns make a line cost five times as much.
 */
const SECRETS = [
  'password',
  'input',
  'connectionString',
  'authorization',
  'secretAccessKey',
].flatMap((name) => [name, `err.${name}`]);

/**
 * Properties of PostgreSQL's errors, and of knex's, that quote rows and values: "Failing row contains (…)", the text around
 * what could not be read (PostgreSQL documentation, "Error and Notice Message Fields").
 */
const QUOTING_VALUES = ['detail', 'where', 'internalQuery', 'bindings'].map(
  (name) => `err.${name}`,
);

/**
 * Lines as they suit who reads them; no secret in any. Written at once, so that the last line before
 * an exit is not lost.
 *
 * @param destination @default standard output
 */
export function createLogger(
  level: Config['logLevel'],
  destination: DestinationStream = logLines(pino.destination({ sync: true }), process.stdout.isTTY),
): Logger {
  return pino(
    {
      level,
      redact: [...SECRETS, ...QUOTING_VALUES],
      serializers: { err: serializedError },
      timestamp: stdTimeFunctions.isoTime,
      mixin: traceIds,
    },
    destination,
  );
}

/** Names of OpenTelemetry ("Trace Context in non-OTLP Log Formats"). */
function traceIds(): object {
  const ids = activeIds();
  if (ids === undefined) return {};
  return { trace_id: ids.traceId, span_id: ids.spanId, trace_flags: ids.isSampled ? '01' : '00' };
}

/** As pino has it, but of the errors inside an AggregateError only what says what they are: no path names the rest. */
function serializedError(error: Error): object {
  const whole: SerializedError = stdSerializers.err(error);
  if (!Array.isArray(whole?.aggregateErrors)) return whole;
  const aggregateErrors = whole.aggregateErrors.map(({ type, message, stack, code }) => ({
    ...{ type, message, stack },
    ...(code === undefined ? {} : { code }),
  }));
  return { ...whole, aggregateErrors };
}

/** JSON lines for programs, readable ones for a terminal. */
export function logLines(output: DestinationStream, isTerminal: boolean): DestinationStream {
  return isTerminal ? { write: (line) => output.write(readableLine(line)) } : output;
}

/** Such as `17:58:56.123Z INFO  run finished runId=... rows=12`, an error's stack below. */
function readableLine(json: string): string {
  const { level, time, msg, err, pid: _pid, hostname: _hostname, ...fields } = JSON.parse(json);
  const label = String(pino.levels.labels[level]).toUpperCase().padEnd(5);
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${shownValue(value)}`);
  const code = err?.code === undefined ? [] : [`code=${shownValue(err.code)}`];
  const first = [time.slice(time.indexOf('T') + 1), label, msg, ...shown, ...code].join(' ');
  // A rejection may be null.
  const stack = err == null ? [] : String(err.stack || err.message || err).split('\n');
  return [first, ...stack.map((line) => `  ${line}`)]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function shownValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
