import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { foreignSource } from '../../quality/source.ts';

describe('foreignSource', () => {
  it.each([
    ['UTF-16 little-endian', Buffer.from('\ufeffa', 'utf16le'), true],
    ['UTF-16 big-endian', Buffer.from([0xfe, 0xff, 0, 0x61]), true],
    ['gzip', gzipSync('a'), false],
    ['zip', Buffer.from('PK\x03\x04'), false],
  ])('knows %s', (_, head, encoding) => {
    expect(foreignSource(head)?.encoding).toBe(encoding);
  });

  it.each([Buffer.from('id,name'), Buffer.from('\ufeffid'), Buffer.from('PK,id'), Buffer.alloc(0)])(
    'takes %j for text',
    (head) => {
      expect(foreignSource(head)).toBeUndefined();
    },
  );
});
