import { describe, expect, test } from 'vitest';
import { createLogger, logLines } from '../../../../listener/src/serve/logger.ts';

/** What a logger at level `info` writes. */
function logged(fields: object, text: string, isTerminal = false): string {
  let written = '';
  const output = { write: (line: string) => (written += line) };
  createLogger('info', logLines(output, isTerminal)).info(fields, text);
  return written;
}

test('a line is JSON with a time in ISO 8601', () => {
  expect(JSON.parse(logged({ runId: 'r' }, 'hello'))).toMatchObject({
    runId: 'r',
    msg: 'hello',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  });
});

test('what is less severe than the level is not logged', () => {
  const lines: string[] = [];
  createLogger('warn', { write: (line) => lines.push(line) }).info('hello');
  expect(lines).toEqual([]);
});

test('what PostgreSQL and knex quote of rows and values is not logged', () => {
  const quoted = {
    detail: 'MARKER-1',
    where: 'MARKER-2',
    internalQuery: 'MARKER-3',
    bindings: ['MARKER-4'],
  };
  const err = Object.assign(new Error('violates check constraint "c"'), {
    constraint: 'c',
    ...quoted,
  });
  const line = logged({ err }, 'attempt failed');
  expect(line).toContain('"constraint":"c"');
  expect(line).not.toContain('MARKER');
});

describe('in a terminal', () => {
  const inTerminal = (fields: object, text: string) => logged(fields, text, true);

  test('a line is read at a glance: time, level, message, fields', () => {
    const fields = { key: 'a b.csv', rows: 12, sizes: { a: 1 }, versionId: null, empty: '' };
    expect(inTerminal(fields, 'run finished')).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3}Z INFO {2}run finished key="a b\.csv" rows=12 sizes=\{"a":1\} versionId=null empty=""\n$/,
    );
  });

  test('an error has its code, and its stack with causes below', () => {
    const cause = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
    const err = Object.assign(new Error('no database', { cause }), { code: 'X1' });
    const [first, second, ...others] = inTerminal({ err }, 'queue failed').split('\n');
    expect(first).toMatch(/INFO {2}queue failed code=X1$/);
    expect(second).toBe('  Error: no database');
    expect(others.join('\n')).toContain('  caused by: Error: connection refused\n');
  });

  test('an error that is a text is shown', () => {
    expect(inTerminal({ err: 'gone' }, 'queue failed')).toMatch(/queue failed\n {2}gone\n$/);
  });

  test.each([null, undefined])('%s that was thrown does not break the log', (err) => {
    expect(inTerminal({ err }, 'queue failed')).toMatch(/INFO {2}queue failed\n$/);
  });

  test('an error without a stack has its message', () => {
    const err = Object.assign(new Error('gone'), { stack: undefined });
    expect(inTerminal({ err }, 'queue failed')).toMatch(/queue failed\n {2}gone\n$/);
  });

  test('the text of others writes no line of its own and moves no cursor', () => {
    const line = inTerminal(
      { key: 'a\nb\u001b[2J\u009b\u202e', err: new Error('x\u001b[2J') },
      'm\nn',
    );
    for (const character of '\u001b\u009b\u202e') expect(line).not.toContain(character);
    expect(line).toMatch(/m\\u\{a\}n key="a\\nb/);
  });
});

test.each([false, true])('no line has a secret of an error (terminal: %s)', (isTerminal) => {
  const err = new TypeError('Invalid URL');
  const secrets = { password: 'hunter2', connectionString: 'hunter2', secretAccessKey: 'hunter2' };
  Object.assign(err, secrets, { input: 'postgres://user:hunter2@[db', authorization: 'hunter2' });
  const line = logged({ err, ...secrets }, 'message', isTerminal);
  expect(line).toContain('[Redacted]');
  expect(line).not.toContain('hunter2');
});
