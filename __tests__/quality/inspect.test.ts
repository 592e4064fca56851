import { describe, expect, it, vi } from 'vitest';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import { DescriptorError } from '../../quality/descriptor-error.ts';
import { createInspection, inspectCsv, loopOfFile } from '../../quality/inspect.ts';
import type { EnginePorts } from '../../quality/ports.ts';
import { assertReportShape } from './inspect-bytes.ts';

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

/** A stream that has no end of its own in memory: one block, again and again. */
async function* repeated(block: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < times; i++) yield block;
}

describe('inspectCsv', () => {
  it('judges a stream and tells its progress', async () => {
    const progress: [number, number][] = [];
    // The first bytes wait until there are enough to find out how the file is written.
    const first = `id\n${'1\n'.repeat(40_000)}`;
    const report = await inspectCsv(chunks(first, '2\n'), NODE_PORTS, {
      onProgress: (bytes, rows) => progress.push([bytes, rows]),
    });
    assertReportShape(report);
    expect(report).toMatchObject({ verdict: 'passed', rows: 40_001, bytes: 80_005 });
    expect(progress).toStrictEqual([
      [80_003, 40_000],
      [80_005, 40_001],
    ]);
  });

  it('gives the same report with what a browser has', async () => {
    const utf8 = new TextDecoder('utf-8', { fatal: true });
    const browser: EnginePorts = {
      createHash: NODE_PORTS.createHash,
      isUtf8(bytes) {
        try {
          utf8.decode(bytes);
          return true;
        } catch {
          return false;
        }
      },
      nextTurn: () => new Promise((resolve) => queueMicrotask(() => resolve(undefined))),
      fillRandom: (words) => crypto.getRandomValues(words),
    };
    async function* file(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(0x61, 0x0a, 0xc3);
      yield Uint8Array.of(0xa9, 0x0a, 0xff, 0x0a, 0x62);
    }
    const clock = () => 0;
    const report = await inspectCsv(file(), browser, { clock });
    expect(report).toStrictEqual(await inspectCsv(file(), NODE_PORTS, { clock }));
    expect(report.faults).toMatchObject([{ type: 'encoding-error', record: 3, byte: 5 }]);
  });

  it('measures its duration by the clock it is given', async () => {
    const times = [100, 350];
    const report = await inspectCsv(chunks('id\n1\n'), NODE_PORTS, {
      clock: () => times.shift() ?? 0,
    });
    expect(report.durationMs).toBe(250);
  });

  it('stops with the reason of the signal', async () => {
    const controller = new AbortController();
    const judged = inspectCsv(chunks('id\n', '1\n'), NODE_PORTS, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('shutting down')),
    });
    await expect(judged).rejects.toThrow('shutting down');
  });

  it('passes on what the source throws', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('id\n');
      throw new Error('connection reset');
    }
    await expect(inspectCsv(broken(), NODE_PORTS)).rejects.toThrow('connection reset');
  });

  it('refuses an expectation before it reads a byte', async () => {
    let read = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      read = true;
      yield Buffer.from('id\n');
    }
    const judged = inspectCsv(source(), NODE_PORTS, {
      expectation: { dialect: { delimiter: '' } },
    });
    await expect(judged).rejects.toThrow(DescriptorError);
    expect(read).toBe(false);
  });

  it('lets other work of the process run in between', async () => {
    const order: string[] = [];
    setImmediate(() => order.push('other work'));
    await inspectCsv(repeated(Buffer.alloc(1024 * 1024, 'a\n'), 8), NODE_PORTS);
    order.push('report');
    expect(order).toStrictEqual(['other work', 'report']);
  });

  it('lets other work run within one piece of a source that is slow to check', async () => {
    const turns: number[] = [];
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 30));
    const nextTurn = async () => turns.push(now);
    await inspectCsv(repeated(Buffer.alloc(2 * 1024 * 1024, 'a\n'), 1), {
      ...NODE_PORTS,
      nextTurn,
    });
    clock.mockRestore();
    expect(turns).toHaveLength(4);
  });

  it('keeps no more of a cell of 100 MB than the limit for records', async () => {
    const block = Buffer.alloc(1024 * 1024, 'x');
    async function* file(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('id,name\n1,"');
      yield* repeated(block, 100);
      yield Buffer.from('"\n2,b\n');
    }
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const report = await inspectCsv(file(), NODE_PORTS, {
      onProgress: () => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      },
    });
    expect(report.faultCounts).toStrictEqual({ 'record-too-large': 1 });
    expect(report.rows).toBe(2);
    expect(most).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('createInspection', () => {
  it.each([
    [{ maxFaults: -1 }, 'maxFaults'],
    [{ maxRecordBytes: 0 }, 'maxRecordBytes'],
    [{ maxKeyBytes: 0.5 }, 'maxKeyBytes'],
  ])('refuses %j', (options, name) => {
    expect(() => createInspection(NODE_PORTS, options)).toThrow(name);
  });
});

describe('loopOfFile', () => {
  it('has WebAssembly read a file that is known to be large from its first row on', () => {
    expect(loopOfFile(NODE_PORTS, 1_000_000)).toBe('webassembly');
  });

  it('has JavaScript begin with a file that is small or of no known size', () => {
    expect([loopOfFile(NODE_PORTS, 60_000), loopOfFile(NODE_PORTS)]).toStrictEqual([true, true]);
  });
});
