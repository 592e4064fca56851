import { AsyncLocalStorage } from 'node:async_hooks';

/** What a span says of its work: names of OpenTelemetry's semantic conventions, or ours below `file_processing.`. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What is known of a span when it begins. No attribute may hold a text of a file or the key of an object. */
export interface SpanOptions {
  /** @default internal */
  readonly kind?: 'internal' | 'consumer' | 'producer' | 'client';
  readonly attributes?: Attributes;
  /** @default now */
  readonly startedAt?: Date;
  /** W3C `traceparent`s of work that this one goes back to, in traces of their own. @default none */
  readonly links?: readonly string[];
  /** W3C `traceparent` of the span that this one is part of. @default the one around it, else none */
  readonly parent?: string | undefined;
}

/** One piece of work in a trace. */
export interface Span {
  /** W3C `traceparent` of this very span: what is told to whoever goes on with the work. */
  readonly traceparent: string;
  set(attributes: Attributes): void;
  /** @param traceparent W3C form; anything else is left out */
  link(traceparent: string): void;
  /** Says that the work failed, by the kind of the error: its text may quote a file or a key. */
  fail(error: unknown): void;
  /** Leaves the span out, whatever happens: nobody is to cause spans at will. */
  discard(): void;
  /** Sends what was left out after all. */
  keep(): void;
  end(at?: Date): void;
}

/** Makes spans and sends them away. */
export interface Tracer {
  start(name: string, options: SpanOptions, around?: Span): Span;
  /** Sends what is left, for at most so long; what is not sent by then is lost. */
  stop(milliseconds: number): Promise<void>;
}

/** The ids of a span, as W3C Trace Context has them. */
export interface SpanIds {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether the trace is recorded: else nothing is found by its id. */
  readonly isSampled: boolean;
}

/** Spans below one root; a file of 50 GB has 6,000 parts, and no reader looks at as many. */
export const MOST_SPANS_OF_A_ROOT = 200;

/** Work that waited for longer has a trace of its own, with a link: no reader waits as long for the end of one. */
const LINKED_AFTER_MS = 5 * 60_000;

/** How a span goes on with the trace of what asked for its work. @param waitedMs since then */
export function goingOnWith(
  traceparent: string | undefined,
  waitedMs: number,
): Pick<SpanOptions, 'links' | 'parent'> {
  if (traceparent === undefined) return {};
  return waitedMs > LINKED_AFTER_MS ? { links: [traceparent] } : { parent: traceparent };
}

interface Active {
  readonly tracer: Tracer;
  readonly span: Span;
  /** Shared by all that is below one root. */
  readonly below: { count: number; readonly root: Span };
}

const active = new AsyncLocalStorage<Active>();

const NO_SPAN: Span = {
  traceparent: '',
  set() {},
  link() {},
  fail() {},
  discard() {},
  keep() {},
  end() {},
};

/**
 * Does work in a span that begins a trace, or that goes on with the one of `parent`.
 *
 * @param tracer undefined where no traces are made: then the work costs nothing more
 */
export function traced<T>(
  tracer: Tracer | undefined,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  if (tracer === undefined) return work(NO_SPAN);
  const span = tracer.start(name, options);
  return within({ tracer, span, below: { count: 0, root: span } }, work);
}

/** Does work in a span of the trace around it; in none where there is no trace. */
export function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const around = active.getStore();
  if (around === undefined) return work(NO_SPAN);
  const { tracer, below } = around;
  below.count += 1;
  if (below.count > MOST_SPANS_OF_A_ROOT) {
    below.root.set({ 'file_processing.spans.left_out': below.count - MOST_SPANS_OF_A_ROOT });
    return work(NO_SPAN);
  }
  return within({ ...around, span: tracer.start(name, options, around.span) }, work);
}

async function within<T>(entered: Active, work: (span: Span) => Promise<T>): Promise<T> {
  const { span } = entered;
  try {
    return await active.run(entered, () => work(span));
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/** The span around the caller; one that does nothing where there is none. */
export function activeSpan(): Span {
  return active.getStore()?.span ?? NO_SPAN;
}

/** The `traceparent` of the span around the caller where its trace is recorded: whoever gets it finds the trace. */
export function recordedTraceparent(): string | undefined {
  const { traceparent } = activeSpan();
  return idsIn(traceparent)?.isSampled === true ? traceparent : undefined;
}

/** The ids of the span around the caller. */
export function activeIds(): SpanIds | undefined {
  const span = active.getStore()?.span;
  return span && idsIn(span.traceparent);
}

/** Reads a `traceparent` (W3C Trace Context, "traceparent Header"). @returns undefined for what is none */
export function idsIn(traceparent: string | null | undefined): SpanIds | undefined {
  const [, version, traceId = '', spanId = '', flags = '', rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent ?? '') ??
    [];
  const isKnown = version === '00' ? rest === undefined : version !== undefined && version !== 'ff';
  if (!isKnown || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** What kind of error it is, in a word: the code or the name of what caused it. */
export function kindOf(error: unknown): string {
  const kinds = chain(error).flatMap((one) => {
    const code = 'code' in one && typeof one.code === 'string' ? one.code : undefined;
    return [code, one.name].filter((word) => word !== undefined && /^[\w.-]{1,60}$/.test(word));
  });
  return kinds.findLast((kind) => kind !== 'Error') ?? 'Error';
}

function chain(error: unknown, depth = 0): readonly Error[] {
  if (!(error instanceof Error) || depth > 5) return [];
  return [error, ...chain(error.cause, depth + 1)];
}
