import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Tracer } from '../tracing/tracing.ts';

/** For what is left to be sent at the end, in milliseconds: a collector that is away holds no Job up. */
const LAST_SPANS_MS = 2_000;

/** Gives a command what makes traces, where they have somewhere to go, and sends the last ones before it ends. */
export async function withTracer<T>(
  { tracing }: Pick<Config, 'tracing'>,
  logger: Pick<Logger, 'warn' | 'info'>,
  work: (tracer: Tracer | undefined) => Promise<T>,
): Promise<T> {
  if (tracing === undefined) return work(undefined);
  // What makes traces is loaded by nobody else.
  const { otlpTracer } = await import('../tracing/otlp.ts');
  const tracer = otlpTracer({ config: tracing, logger });
  try {
    return await work(tracer);
  } finally {
    await tracer.stop(LAST_SPANS_MS);
  }
}
