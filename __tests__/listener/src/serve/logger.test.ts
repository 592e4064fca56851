import { expect, test } from 'vitest';
import { createLogger } from '../../../../listener/src/serve/logger.ts';

function logged(level: 'info' | 'warn'): string[] {
  const lines: string[] = [];
  createLogger(level, { write: (line) => lines.push(line) }).info({ runId: 'r' }, 'hello');
  return lines;
}

test('a line is JSON with a time in ISO 8601', () => {
  const [line = ''] = logged('info');
  expect(JSON.parse(line)).toMatchObject({
    runId: 'r',
    msg: 'hello',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  });
});

test('what is less severe than the level is not logged', () => {
  expect(logged('warn')).toEqual([]);
});
