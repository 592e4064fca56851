import { describe, expect, it } from 'vitest';
import { type StringFormat, stringType } from '../../../quality/types/string.ts';

function valid(format: StringFormat, text: string): boolean {
  const bytes = Buffer.from(`<${text}>`);
  return !Number.isNaN(stringType(format).read(bytes, 1, bytes.length - 1));
}

describe('stringType', () => {
  it.each<[StringFormat, string]>([
    ['default', 'anything'],
    ['email', 'ana.b+c@example.org'],
    ['email', 'josé@exämple.org'],
    ['email', "o'neil@a-b.co.uk"],
    ['uri', 'https://example.org/a?b=%20#c'],
    ['uri', 'urn:isbn:0451450523'],
    ['uri', 'mailto:a@b.org'],
    ['uuid', '123e4567-E89B-12d3-a456-426614174000'],
  ])('%s takes %s', (format, text) => {
    expect(valid(format, text)).toBe(true);
  });

  it.each<[StringFormat, string]>([
    ['email', 'a@b'],
    ['email', '@b.org'],
    ['email', 'a.b.org'],
    ['email', 'a@@b.org'],
    ['email', 'a b@c.org'],
    ['email', '.a@c.org'],
    ['email', 'a..b@c.org'],
    ['email', 'a@-c.org'],
    ['email', 'a@c..org'],
    ['email', 'a@c.org.'],
    ['uri', 'example.org'],
    ['uri', 'http:'],
    ['uri', '1http://x'],
    ['uri', 'http://a b'],
    ['uri', 'http://a/%2'],
    ['uri', 'http://é'],
    ['uuid', '123e4567e89b12d3a456426614174000'],
    ['uuid', '123e4567-e89b-12d3-a456-42661417400g'],
  ])('%s refuses %s', (format, text) => {
    expect(valid(format, text)).toBe(false);
  });
});
