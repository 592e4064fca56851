import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unsupportedSource } from '../../../quality/checks/source.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

describe('unsupportedSource', () => {
  it.each([
    ['UTF-16 little-endian', Buffer.from('\ufeffa', 'utf16le'), true],
    ['UTF-16 big-endian', Buffer.from([0xfe, 0xff, 0, 0x61]), true],
    ['gzip', gzipSync('a'), false],
    ['zip', Buffer.from('PK\x03\x04'), false],
  ])('knows %s', (_, head, encoding) => {
    expect(unsupportedSource(head)?.encoding).toBe(encoding);
  });

  it.each([Buffer.from('id,name'), Buffer.from('\ufeffid'), Buffer.from('PK,id'), Buffer.alloc(0)])(
    'takes %j for text',
    (head) => {
      expect(unsupportedSource(head)).toBeUndefined();
    },
  );
});

describe('a file that cannot be read', () => {
  it('calls an empty file unreadable', () => {
    for (const file of ['', '\ufeff']) {
      const report = inspectBytes(file);
      expect(report).toMatchObject({ verdict: 'unreadable', faultCounts: { 'source-error': 1 } });
    }
  });

  it('calls a file of comments alone unreadable', () => {
    const report = inspectBytes('# a\n', { expectation: { dialect: { commentChar: '#' } } });
    expect(report.verdict).toBe('unreadable');
  });

  it('gives UTF-16 one encoding error and judges no further', () => {
    const report = inspectBytes(Buffer.from('\ufeffid,name\n1,a\n', 'utf16le'));
    expect(places(report)).toStrictEqual(['encoding-error -:-']);
    expect(report).toMatchObject({ verdict: 'unreadable', rows: 0, columns: [] });
  });

  it('calls an archive unreadable, though it comes byte by byte', () => {
    const report = inspectBytes(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), {}, [1]);
    expect(report).toMatchObject({ verdict: 'unreadable', faultCounts: { 'source-error': 1 } });
  });

  it('with more labels than are read is unreadable', () => {
    const report = inspectBytes(`${'a,'.repeat(65_536)}b\n`, { maxFaults: 1 });
    expect(report).toMatchObject({
      verdict: 'unreadable',
      faults: [{ message: 'The header has 65537 labels; at most 65536 are read.' }],
    });
  });
});
