import { describe, expect, it } from 'vitest';
import {
  activeIds,
  activeSpan,
  idsIn,
  inSpan,
  kindOf,
  MOST_SPANS_OF_A_ROOT,
  recordedTraceparent,
  type Span,
  type SpanOptions,
  type Tracer,
  traced,
} from '../../../../listener/src/tracing/tracing.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** A tracer that keeps what it is told. */
function keepingTracer(flags = '01') {
  const spans: { name: string; around: string | undefined; said: unknown[]; ends: number }[] = [];
  const tracer: Tracer = {
    start(name: string, options: SpanOptions, around?: Span) {
      const kept = { name, around: around?.traceparent, said: [options] as unknown[], ends: 0 };
      spans.push(kept);
      const traceparent = `00-${TRACE}-${spans.length.toString(16).padStart(16, '0')}-${flags}`;
      return {
        traceparent,
        set: (attributes) => void kept.said.push(attributes),
        link: (other) => void kept.said.push(other),
        fail: (error) => void kept.said.push(kindOf(error)),
        discard: () => void kept.said.push('discard'),
        keep: () => void kept.said.push('keep'),
        end: () => {
          kept.ends += 1;
        },
      };
    },
    stop: async () => undefined,
  };
  return { tracer, spans };
}

describe('a trace', () => {
  it('has work within work, each span ended once', async () => {
    const { tracer, spans } = keepingTracer();
    const result = await traced(tracer, 'root', {}, () =>
      inSpan('outer', {}, () => inSpan('inner', {}, async () => 7)),
    );
    expect(result).toBe(7);
    expect(spans.map(({ name, around, ends }) => [name, around?.slice(36, 52), ends])).toEqual([
      ['root', undefined, 1],
      ['outer', '0000000000000001', 1],
      ['inner', '0000000000000002', 1],
    ]);
  });

  it('of work that fails says of what kind the error is, and not what it says', async () => {
    const { tracer, spans } = keepingTracer();
    const error = new Error('s3://bucket/secret.csv', { cause: new RangeError('of secret.csv') });
    await expect(traced(tracer, 'root', {}, () => Promise.reject(error))).rejects.toBe(error);
    expect(spans).toMatchObject([{ said: [{}, 'RangeError'], ends: 1 }]);
  });

  it('has an end to its spans, which are counted at the root', async () => {
    const { tracer, spans } = keepingTracer();
    await traced(tracer, 'root', {}, async () => {
      for (let at = 0; at < MOST_SPANS_OF_A_ROOT + 3; at += 1) {
        await inSpan('part', {}, async () => undefined);
      }
    });
    expect(spans).toHaveLength(MOST_SPANS_OF_A_ROOT + 1);
    expect(spans[0]?.said.at(-1)).toEqual({ 'file_processing.spans.left_out': 3 });
  });

  it('is known inside by its ids, and nowhere else', async () => {
    const { tracer } = keepingTracer();
    await traced(tracer, 'root', {}, async () => {
      expect(activeIds()).toEqual({
        ...{ traceId: TRACE, spanId: '0000000000000001', isSampled: true },
      });
      expect(recordedTraceparent()).toBe(activeSpan().traceparent);
    });
    expect(activeIds()).toBeUndefined();
    expect(recordedTraceparent()).toBeUndefined();
  });

  it('that is not recorded is told to nobody', async () => {
    const { tracer } = keepingTracer('00');
    await traced(tracer, 'root', {}, async () => {
      expect(recordedTraceparent()).toBeUndefined();
      expect(activeIds()).toMatchObject({ isSampled: false });
    });
  });

  it('costs work nothing where there is no tracer', async () => {
    const result = await traced(undefined, 'root', {}, (span) =>
      inSpan('part', {}, async () => span.traceparent),
    );
    expect(result).toBe('');
    expect(activeIds()).toBeUndefined();
  });
});

describe('idsIn', () => {
  it.each([
    ['of version 00', `00-${TRACE}-b7ad6b7169203331-01`, true],
    ['that is not recorded', `00-${TRACE}-b7ad6b7169203331-00`, false],
    ['of a later version, with more', `01-${TRACE}-b7ad6b7169203331-01-what`, true],
  ])('reads a traceparent %s', (_, text, isSampled) => {
    expect(idsIn(text)).toEqual({ traceId: TRACE, spanId: 'b7ad6b7169203331', isSampled });
  });

  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['capital letters', `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['version 00 with more', `00-${TRACE}-b7ad6b7169203331-01-what`],
    ['version ff', `ff-${TRACE}-b7ad6b7169203331-01`],
  ])('reads none in %s', (_, text) => {
    expect(idsIn(text)).toBeUndefined();
  });
});

describe('kindOf', () => {
  it.each([
    [
      'the code of a cause',
      new Error('a', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) }),
      'ECONNRESET',
    ],
    ['a name', new TypeError('a'), 'TypeError'],
    [
      'no word, where the name is a sentence',
      Object.assign(new Error('a'), { name: 'all of it' }),
      'Error',
    ],
    ['no word for what is not an error', 'text of a file', 'Error'],
  ])('is %s', (_, error, kind) => {
    expect(kindOf(error)).toBe(kind);
  });
});
