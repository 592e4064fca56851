import '../../../src/stack/lighten-cdktf.ts';
import { expect, test } from 'vitest';

test('a library that reads call sites from an object of its own gets them', () => {
  const subject: { stack?: string } = {};
  Error.captureStackTrace(subject);
  expect(subject.stack).toContain('lighten-cdktf.test.ts');
});

test("an object with an empty stack, as cdktf's tokens have one, keeps it", () => {
  const subject = { stack: '' };
  Error.captureStackTrace(subject);
  expect(subject.stack).toBe('');
});
