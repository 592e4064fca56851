import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OperationError } from '../../../src/operations/operation-error.ts';
import { processRunner } from '../../../src/operations/runner.ts';
import { ROOT } from '../../support/run-main.ts';

/** A runner whose streams are texts. */
function runner(environment: Readonly<Record<string, string | undefined>> = process.env) {
  const shown = { stdout: '', stderr: '' };
  const stdout = { write: (text: string) => (shown.stdout += text) };
  const stderr = { write: (text: string) => (shown.stderr += text) };
  return { shown, run: processRunner(environment, { stdout, stderr }) };
}

const node = (program: string) => [process.execPath, ['-e', program]] as const;
const WRITES = node(
  'process.stdout.write("out"); process.stderr.write("err"); process.exitCode = 3',
);

describe('a program', () => {
  test('that ends with another code than 0 is a result', async () => {
    expect(await runner().run(...WRITES)).toStrictEqual({ code: 3, stdout: 'out', stderr: 'err' });
  });

  test.each([
    ['capture', { stdout: '', stderr: '' }],
    ['stream', { stdout: 'out', stderr: 'err' }],
    ['progress', { stdout: '', stderr: 'outerr' }],
  ] as const)('is shown by %s as %j', async (output, expected) => {
    const { run, shown } = runner();
    await run(...WRITES, { output });
    expect({ ...shown, stderr: [...shown.stderr].sort().join('') }).toStrictEqual({
      ...expected,
      stderr: [...expected.stderr].sort().join(''),
    });
  });

  test('gets the environment, with variables added and removed', async () => {
    const { run } = runner({ PATH: process.env.PATH, KEPT: '1', REMOVED: '1' });
    const program =
      'const { KEPT, REMOVED, ADDED } = process.env; console.log(KEPT, REMOVED, ADDED)';
    const env = { REMOVED: undefined, ADDED: '2' };
    expect((await run(...node(program), { env })).stdout).toBe('1 undefined 2\n');
  });

  test('reads the given text, and nothing else', async () => {
    const program = 'process.stdin.pipe(process.stdout)';
    const { run } = runner();
    expect((await run(...node(program), { input: 'text' })).stdout).toBe('text');
    expect((await run(...node(program))).stdout).toBe('');
  });

  test('may end without reading its input', async () => {
    const input = 'x'.repeat(1_000_000);
    expect((await runner().run(...node(''), { input })).code).toBe(0);
  });

  test('that does not exist says so, and what to do', async () => {
    // A path with a folder that may not be looked into would be another fault.
    const env = { PATH: dirname(process.execPath) };
    const missing = runner().run('no-such-program', [], { env });
    await expect(missing).rejects.toThrow(OperationError);
    await expect(missing).rejects.toMatchObject({
      message: 'no-such-program was not found',
      code: 69,
    });
  });
});

/** A process that runs a program by a runner; the program writes what reaches it. */
async function startPair(onSignal: string) {
  const inner = `
    let signals = 0;
    process.on('SIGINT', () => { signals += 1; ${onSignal} });
    process.on('SIGUSR2', () => process.exit(50 + signals));
    setInterval(() => undefined, 1000);
    console.log('ready');
  `;
  const outer = `
    const { processRunner } = await import(${JSON.stringify(join(ROOT, 'src/operations/runner.ts'))});
    const run = processRunner(process.env, process);
    let terms = 0;
    process.on('SIGTERM', () => { terms += 1; if (terms > 1) setImmediate(() => console.log('second SIGTERM')); });
    process.on('SIGUSR2', () => undefined);
    const { code } = await run(process.execPath, ['-e', ${JSON.stringify(inner)}], { output: 'stream' });
    process.exitCode = code + 1;
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', outer], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('not started');
  onTestFinished(() => {
    if (child.exitCode === null) process.kill(-pid, 'SIGKILL');
  });
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  return { child, pid, lines };
}

describe('while a program runs', () => {
  test('Ctrl-C is left to it, and its code is waited for', async () => {
    const { child, pid } = await startPair('process.exit(41)');
    process.kill(-pid, 'SIGINT');
    expect(await once(child, 'close')).toEqual([42, null]);
  });

  test('SIGTERM is passed on as an interrupt', async () => {
    const { child } = await startPair('process.exit(41)');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([42, null]);
  });

  test('a second SIGTERM is not: Terraform would drop everything', async () => {
    const { child, pid, lines } = await startPair("console.log('interrupted')");
    child.kill('SIGTERM');
    await once(lines, 'line');
    child.kill('SIGTERM');
    await once(lines, 'line');
    process.kill(-pid, 'SIGUSR2');
    // 50 and the number of interrupts, and one more for the way through.
    expect(await once(child, 'close')).toEqual([52, null]);
  });
});
