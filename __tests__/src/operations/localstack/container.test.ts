import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import {
  answersInContainer,
  runningEdge,
  startContainer,
} from '../../../../src/operations/localstack/container.ts';
import { EXIT, OperationError } from '../../../../src/operations/operation-error.ts';
import { operationContext } from '../../../support/manage.ts';

const EXEC = 'docker compose -f docker-compose.yml exec -T localstack';

/** A context whose container tool answers with the codes of a recording, all others with 0. */
function recorded(codes: Readonly<Record<string, number>> = {}) {
  const commands: string[] = [];
  const context = operationContext({
    run: async (program, parameters) => {
      const command = [program, ...parameters].join(' ');
      commands.push(command);
      return { code: codes[command] ?? 0, stdout: '', stderr: 'what the tool said\n' };
    },
  });
  return { context, commands };
}

const withoutTool = operationContext({
  run: async (program) => {
    throw new OperationError(`${program} was not found`, { code: EXIT.unavailable });
  },
});

test('LocalStack alone is started, in the background', async () => {
  const { context, commands } = recorded();
  await startContainer(context);
  expect(commands).toEqual(['docker compose -f docker-compose.yml up -d localstack']);
});

test('a tool that fails is told with its own words and what to do', async () => {
  const { context } = recorded({ 'docker compose -f docker-compose.yml up -d localstack': 1 });
  await expect(startContainer(context)).rejects.toMatchObject({
    code: EXIT.unavailable,
    message: expect.stringContaining('what the tool said'),
    next: expect.stringContaining('CONTAINER_TOOL'),
  });
});

test('a missing tool is told with what to do', async () => {
  await expect(startContainer(withoutTool)).rejects.toMatchObject({
    message: 'no LocalStack answers, and docker was not found',
    next: expect.stringContaining('test-support/localstack/README.md'),
  });
});

test.each([
  [true, {}],
  [false, { [`${EXEC} curl -sS -I --max-time 5 http://host.docker.internal:8080/`]: 7 }],
  [undefined, { [`${EXEC} true`]: 1 }],
])('whether the container reaches the listener: %s', async (isReached, codes) => {
  const { context } = recorded(codes);
  expect(await answersInContainer(context, 'http://host.docker.internal:8080/')).toBe(isReached);
});

test('without a tool nobody knows', async () => {
  expect(await answersInContainer(withoutTool, 'http://localhost/')).toBeUndefined();
});

/** An address of this machine where nobody listens. */
async function closedPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { url: `http://127.0.0.1:${port}`, anyCertificate: true };
}

test('a dry run starts nothing', async () => {
  expect(await runningEdge(operationContext(), [await closedPort()], true)).toBeUndefined();
});

test('LocalStack on another host is not started here', async () => {
  const elsewhere = { url: 'http://localstack.invalid:4566', anyCertificate: false };
  await expect(runningEdge(operationContext(), [elsewhere], false)).rejects.toMatchObject({
    code: EXIT.unavailable,
    message: 'no LocalStack answers at http://localstack.invalid:4566',
  });
});

test('a container that starts and never answers is told, with where its log is', async () => {
  const context = operationContext({ run: async () => ({ code: 0, stdout: '', stderr: '' }) });
  await expect(runningEdge(context, [await closedPort()], false)).rejects.toMatchObject({
    code: EXIT.unavailable,
    next: 'docker compose logs --tail 200 localstack',
  });
});
