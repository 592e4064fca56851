import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endChild } from '../../support/child-process.ts';
import { type GoProgram, goPrograms } from '../../support/go-program.ts';

const module = (name: string) => join(import.meta.dirname, '../../../test-support', name);

const PROGRAMS: readonly GoProgram[] = [
  { program: 'otlp-receiver', directory: module('otlp-receiver'), source: '.' },
  {
    program: 'promtool',
    directory: module('promtool'),
    source: 'github.com/prometheus/prometheus/cmd/promtool',
    // Clients of clouds, which only find what to scrape: most of what would be compiled.
    tags: ['remove_all_sd'],
  },
];

/** The folder with promtool and the collector's receiver, which Go builds once: two minutes of CPU. */
export function monitoringPrograms(): Promise<string> {
  return goPrograms(
    'monitoring',
    PROGRAMS,
    'promtool and the OTLP receiver are built by Go: install Go 1.26 or newer (https://go.dev/dl) and put it on PATH',
    (folder) => PROGRAMS.every(({ program }) => existsSync(join(folder, program))),
  );
}

/** A span as the collector got it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  /** As OTLP numbers them: 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 2 is an error. */
  readonly status: { readonly code?: number; readonly message?: string };
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A collector that a test can read. */
export interface Collector {
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** All that it got, as it was sent. */
  readonly text: () => string;
  stop(): Promise<unknown>;
}

/** Starts one at a free port of this machine. */
export async function startCollector(): Promise<Collector> {
  const program = join(await monitoringPrograms(), 'otlp-receiver');
  const child: ChildProcess = spawn(program, [], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const spans: ReceivedSpan[] = [];
  const batches: string[] = [];
  const ready = Promise.withResolvers<string>();
  child.once('exit', () => ready.reject(new Error('the collector has ended')));
  if (child.stdout === null) throw new Error('the collector has no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('http://')) return ready.resolve(line);
    batches.push(line);
    spans.push(...spansIn(JSON.parse(line)));
  });
  return {
    endpoint: await ready.promise,
    spans,
    text: () => batches.join('\n'),
    stop: () => endChild(child),
  };
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}
type KeyValues = readonly { readonly key: string; readonly value: Value }[];

interface Batch {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: KeyValues };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, 'attributes' | 'links' | 'parentSpanId'> & {
        readonly attributes?: KeyValues;
        readonly links?: ReceivedSpan['links'];
        readonly parentSpanId?: string;
      })[];
    }[];
  }[];
}

function spansIn({ resourceSpans }: Batch): readonly ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes = [], links = [], parentSpanId = '', ...span }) => ({
        ...span,
        ...{ links, parentSpanId },
        attributes: recordOf(attributes),
        resource: recordOf(resource.attributes),
      })),
    ),
  );
}

function recordOf(pairs: KeyValues): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ??
        (intValue === undefined ? undefined : Number(intValue)) ??
        doubleValue ??
        boolValue,
    ]),
  );
}
