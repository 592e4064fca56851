import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { proxyAgents } from '../config/proxy-agents.ts';
import type { TracingConfig } from '../config.ts';
import { idsIn, kindOf, type Span, type SpanOptions, type Tracer } from './tracing.ts';

/** What {@link otlpTracer} works with. */
export interface OtlpTracerOptions {
  readonly config: TracingConfig;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
  /** Counts spans that were sent, or lost since the collector did not take them. */
  readonly onSpans?: (outcome: 'sent' | 'lost', count: number) => void;
  /** Between two batches, in milliseconds. @default 5000, as OpenTelemetry has it */
  readonly delayMs?: number;
}

const KINDS: Readonly<Record<NonNullable<SpanOptions['kind']>, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  consumer: SpanKind.CONSUMER,
  producer: SpanKind.PRODUCER,
  client: SpanKind.CLIENT,
};

/**
 * Sends spans by OTLP over HTTP, as protobuf, in the background: a collector that is away costs the work nothing, and
 * what it has not taken when the queue is full, or after its retries, is lost. Nothing is registered globally.
 */
export function otlpTracer(options: OtlpTracerOptions): Tracer {
  const { config, logger } = options;
  const exporter = new OTLPTraceExporter({
    url: config.url,
    // As the process sees it, but for what a file holds: the SDK reads its own variables for the rest.
    ...(config.headers === undefined ? {} : { headers: headersIn(config.headers.reveal()) }),
    ...agentOf(config.url),
  });
  const provider = new TracerProvider({
    sampler: samplerOf(config),
    resource: resourceFromAttributes({ 'service.name': config.serviceName }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    spanProcessors: [counted(exporter, options)],
  });
  const tracer = provider.getTracer('file-processing');
  return {
    start(name, given, around) {
      const { kind = 'internal', attributes = {}, startedAt, links = [] } = given;
      const span = tracer.startSpan(
        name,
        {
          kind: KINDS[kind],
          attributes,
          links: links.flatMap(linkTo),
          ...(startedAt === undefined ? {} : { startTime: startedAt }),
        },
        contextOf(given.parent ?? around?.traceparent),
      );
      const { traceId, spanId, traceFlags } = span.spanContext();
      const flags = (traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0');
      let isLeftOut = false;
      return {
        traceparent: `00-${traceId}-${spanId}-${flags}`,
        set: (more) => void span.setAttributes({ ...more }),
        link(traceparent) {
          for (const link of linkTo(traceparent)) span.addLink(link);
        },
        fail(error) {
          span.setAttribute('error.type', kindOf(error));
          span.setStatus({ code: SpanStatusCode.ERROR });
        },
        discard() {
          isLeftOut = true;
        },
        keep() {
          isLeftOut = false;
        },
        // One that never ends is never sent.
        end(at) {
          if (!isLeftOut) span.end(at);
        },
      } satisfies Span;
    },
    async stop(milliseconds) {
      const late = Promise.withResolvers<'late'>();
      const timer = setTimeout(() => late.resolve('late'), milliseconds);
      // What could not be sent was told already.
      const ended = provider.shutdown().catch(() => undefined);
      const outcome = await Promise.race([ended, late.promise]);
      clearTimeout(timer);
      if (outcome === 'late') logger.warn('the last spans were not sent in time: they are lost');
    },
  };
}

function contextOf(traceparent: string | undefined): Context {
  const context = spanContextIn(traceparent);
  return context === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, context);
}

function linkTo(traceparent: string): readonly Link[] {
  const context = spanContextIn(traceparent);
  return context === undefined ? [] : [{ context }];
}

function spanContextIn(traceparent: string | undefined): SpanContext | undefined {
  const ids = idsIn(traceparent);
  if (ids === undefined) return undefined;
  const { traceId, spanId, isSampled } = ids;
  return { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

/** As OTEL_TRACES_SAMPLER has them (OpenTelemetry specification, "SDK environment variables"). */
function samplerOf({ sampler, ratio }: TracingConfig): Sampler {
  const roots: Readonly<Record<string, () => Sampler>> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
  };
  const root = (roots[sampler.replace(/^parentbased_/, '')] ?? (() => new AlwaysOnSampler()))();
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

/** Pairs as in `api-key=1,other=2`, percent-encoded (W3C Baggage, as OTEL_EXPORTER_OTLP_HEADERS has them). */
function headersIn(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}

/** Through the proxy where there is one, as AWS is reached. */
function agentOf(url: string) {
  const { httpAgent, httpsAgent } = proxyAgents();
  const agent = url.startsWith('https:') ? httpsAgent : httpAgent;
  return agent === undefined ? {} : { httpAgentOptions: () => agent };
}

/** Spans that are kept until the collector has taken them: a few MiB. OpenTelemetry has as many. */
const MOST_WAITING = 2_048;

/** Sends in batches, and counts what it has no room for, which the SDK's processor drops without a word. */
function counted(exporter: SpanExporter, options: OtlpTracerOptions): SpanProcessor {
  const { onSpans, delayMs } = options;
  let waiting = 0;
  const batches = new BatchSpanProcessor({
    exporter: watched(exporter, {
      ...options,
      onSpans(outcome, count) {
        waiting -= count;
        onSpans?.(outcome, count);
      },
    }),
    maxQueueSize: MOST_WAITING,
    ...(delayMs === undefined ? {} : { scheduledDelayMillis: delayMs }),
  });
  return {
    onStart: (span, context) => batches.onStart(span, context),
    onEnd(span) {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
      if (waiting >= MOST_WAITING) return onSpans?.('lost', 1);
      waiting += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

/** A collector that takes nothing is told of once, and so is its return. */
function watched(exporter: SpanExporter, { logger, onSpans }: OtlpTracerOptions): SpanExporter {
  let isAway = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const isLost = result.code !== 0;
        onSpans?.(isLost ? 'lost' : 'sent', spans.length);
        if (isLost && !isAway) {
          const { error: { message: reason } = new Error('no reason given') } = result;
          logger.warn({ reason }, 'the collector takes no spans: they are lost until it does');
        }
        if (!isLost && isAway) logger.info('the collector takes spans again');
        isAway = isLost;
        done(result);
      });
    },
    ...(exporter.forceFlush === undefined
      ? {}
      : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
    shutdown: () => exporter.shutdown(),
  };
}
