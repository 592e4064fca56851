import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  COMMANDS,
  EXIT,
  JOBS,
  MIGRATE,
  PATHS,
  ROLE_OPTION,
  ROLES,
  RUN,
  SERVE,
  SERVED_PATHS,
} from '@file-processing/contract/listener-interface.ts';
import { LISTENER_VARIABLES } from '@file-processing/contract/listener-variables.ts';
import { describe, expect, test } from 'vitest';
import { type ListenerChild, startListenerChild } from '../listener/support/listener-process.ts';
import { createTestDatabase } from '../listener/support/postgres.ts';
import { temporaryFolder } from '../listener/support/temporary-folder.ts';

const NOWHERE = '127.0.0.1:1';

/** What a command printed, once it has ended. */
async function printed(command: ListenerChild): Promise<string> {
  await command.ended;
  return command.lines.map(({ msg }) => msg).join('\n');
}

/** Answers of a port, by path. */
async function statusesOf(port: unknown, paths: readonly string[], method = 'GET') {
  const statuses: Record<string, number> = {};
  for (const path of paths) {
    const body = method === 'POST' ? '{}' : null;
    const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { method, body });
    statuses[path] = status;
  }
  return statuses;
}

describe('The running listener', () => {
  test('serves its paths on the port of each, and its readiness alone needs the database', async () => {
    const given = await createTestDatabase();
    const listener = startListenerChild([SERVE], {
      DATABASE_URL: given.url,
      PORT: '0',
      METRICS_PORT: '0',
      SNS_TOPIC_ARNS: LISTENER_VARIABLES.SNS_TOPIC_ARNS.example,
      AWS_REGION: LISTENER_VARIABLES.AWS_REGION.example,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    const { port, metricsPort } = await listener.line('listening');
    const { delivery, readiness, metrics } = PATHS;
    const all = (status: number, paths: readonly string[] = SERVED_PATHS.PORT) =>
      Object.fromEntries(paths.map((path) => [path, status]));

    expect(await statusesOf(port, [...SERVED_PATHS.PORT, metrics, '/other'])).toStrictEqual({
      ...all(200),
      ...{ [metrics]: 404, '/other': 404 },
    });
    expect(await statusesOf(metricsPort, [...SERVED_PATHS.METRICS_PORT, delivery])).toStrictEqual({
      ...all(200, SERVED_PATHS.METRICS_PORT),
      [delivery]: 404,
    });
    expect(await statusesOf(port, SERVED_PATHS.PORT, 'POST')).toStrictEqual({
      ...all(405),
      [delivery]: 400,
    });
    await given.drop();
    expect(await statusesOf(port, SERVED_PATHS.PORT)).toStrictEqual({
      ...all(200),
      [readiness]: 503,
    });
    expect(await statusesOf(metricsPort, SERVED_PATHS.METRICS_PORT)).toStrictEqual({
      ...all(200, SERVED_PATHS.METRICS_PORT),
      [readiness]: 503,
    });
  });

  test('reads every variable of the table, and ends at once where it refuses one', async () => {
    const folder = await temporaryFolder();
    const read = join(folder, 'read');
    const spy = join(folder, 'spy.mjs');
    await writeFile(
      spy,
      `import { writeFileSync } from 'node:fs';
       const names = new Set();
       process.env = new Proxy(process.env, {
         get(environment, name) { names.add(name); return environment[name]; },
       });
       process.on('exit', () => writeFileSync(${JSON.stringify(read)}, JSON.stringify([...names])));`,
    );
    const listener = startListenerChild([SERVE], {
      NODE_OPTIONS: `--import=${pathToFileURL(spy)}`,
      DB_HOST: 'two words',
      PORT: 'http',
    });

    expect(await listener.ended).toBe(EXIT.usage);
    expect(listener.errors()).toMatch(/PORT="http"[\s\S]*DB_HOST="two words"/);
    const names = JSON.parse(await readFile(read, 'utf8')) as readonly string[];
    // The master user's secret is not the business of a process that serves.
    const serving = Object.keys(LISTENER_VARIABLES).filter(
      (name) => name !== 'DB_MASTER_SECRET_ARN',
    );
    expect(names).toEqual(expect.arrayContaining(serving));
    const files = Object.entries(LISTENER_VARIABLES).filter(([, variable]) => 'file' in variable);
    expect(names).toEqual(expect.arrayContaining(files.map(([name]) => `${name}_FILE`)));
  });

  test('has its commands, options, roles and jobs', async () => {
    const [help, helpOfServe, helpOfRun] = await Promise.all(
      [['--help'], [SERVE, '--help'], [RUN, '--help']].map((parameters) =>
        printed(startListenerChild(parameters, {})),
      ),
    );
    const commands = [...(help ?? '').matchAll(/^ {2}([a-z-]+)(?= |$)/gm)].map(([, name]) => name);
    expect(commands.filter((name) => name !== 'help').sort()).toStrictEqual([...COMMANDS].sort());
    expect(helpOfServe).toContain(MIGRATE.option);
    expect(helpOfServe).toContain(`${ROLE_OPTION} <role>`);
    for (const role of Object.keys(ROLES)) expect(helpOfServe).toContain(`"${role}"`);
    for (const job of JOBS) expect(helpOfRun).toContain(job);
    for (const code of Object.values(EXIT)) {
      expect(help).toMatch(new RegExp(`\\b${code}\\b`));
    }
  });

  test.each([
    ['ok', ['--version']],
    ['bad', ['validate', 'faulty.csv']],
    ['usage', ['validate', 'faulty.csv', '--fast']],
    ['usage', [RUN, 'another_job', '--dry-run', '--event-json', '{}']],
    ['noInput', [RUN, JOBS[0], '--dry-run', '--event-json', eventOf('absent.csv')]],
    ['unavailable', ['runs', 'list']],
  ] as const)('ends with the code of %s after %j', async (meaning, parameters) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'faulty.csv'), 'a,b\n1\n');
    const inFolder = parameters.map((one) => (one === 'faulty.csv' ? join(folder, one) : one));
    const command = startListenerChild(inFolder, {
      LOCAL_S3_ROOT: folder,
      DATABASE_URL: `postgresql://user@${NOWHERE}/database`,
    });
    expect(await command.ended).toBe(EXIT[meaning]);
  });
});

function eventOf(key: string): string {
  return JSON.stringify({ Records: [{ s3: { bucket: { name: 'bucket' }, object: { key } } }] });
}
