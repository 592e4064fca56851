import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  COMMANDS,
  DELIVERY_PATH,
  LISTENER_VARIABLES,
  LONGEST_DELIVERY_SECONDS,
  MIGRATE,
  NOT_READ_YET,
  READINESS_PATH,
  READINESS_SECONDS,
  ROLE_OPTION,
  ROLES,
  SERVE,
  SERVED_PATHS,
  TELLTALE,
} from '../../../../audit/rules/kubernetes/listener-interface.ts';
import { VARIABLES, type Variable } from '../../../../listener/src/config/variables.ts';
import {
  judgesFiles,
  ROLES as LISTENER_ROLES,
  takesMessages,
} from '../../../../listener/src/config.ts';
import { createMetrics, startMetricsServer } from '../../../../listener/src/http/metrics.ts';
import { LONGEST_RETRY_SECONDS } from '../../../../src/settings/http-retries.ts';
import { cli } from '../../../listener/support/cli.ts';
import {
  collectingLogger,
  startTestListener,
  testKey,
} from '../../../listener/support/sns-listener.ts';
import { ROOT } from '../../../support/run-main.ts';

const KNOWN: Readonly<Record<string, Variable<unknown>>> = VARIABLES;

/** Texts that some variable takes and another refuses. */
const TEXTS = [
  ...['', '0', '1', '2', '3', '1,2', '1,1', '1,', '64', '65', '100', '101', '600', '601', '3600'],
  ...['3601', '65535', '65536', '100000', '100001', '31536000', '31536001', '-1', '1.5', 'true'],
  ...['info', 'loud', 'silent', 'verify-full', 'verify-ca', 'disable', 'require', 'a/', '/a/', 'a'],
  ...['us-gov-west-1', 'us-gov-west', 'drop-box', 'Drop_Box', 'db.example.gov', '/run/socket'],
  ...['http://127.0.0.1:4566', 'https://me@example.org', 'ftp://example.org', 'two words'],
  'arn:aws-us-gov:sns:us-gov-west-1:123456789012:topic',
  'arn:aws-us-gov:sns:us-gov-west-1:123456789012:topic.fifo',
];

describe("The audit's picture of the listener", () => {
  it('has its variables', () => {
    expect(Object.keys(LISTENER_VARIABLES).sort()).toEqual(Object.keys(VARIABLES).sort());
  });

  it.each(Object.keys(VARIABLES))('takes the same texts for %s', (name) => {
    const accepted = (accepts: (text: string) => boolean) =>
      TEXTS.filter((text) => text && accepts(text));
    const kind = KNOWN[name]?.kind;
    expect(accepted((text) => LISTENER_VARIABLES[name]?.accepts(text) === true)).toEqual(
      accepted((text) => kind?.read(text) !== undefined),
    );
  });

  it.each(Object.entries(KNOWN))(
    'has the default of %s, and whether a file may hold it',
    (name, known) => {
      expect(LISTENER_VARIABLES[name]?.default).toBe(known.default);
      expect(LISTENER_VARIABLES[name]?.file).toBe(known.file);
    },
  );

  it('names nothing as not read yet that is read', () => {
    expect(Object.keys(NOT_READ_YET).filter((name) => name in VARIABLES)).toEqual([]);
  });

  it('tells a listener by variables that it has', () => {
    const names = { ...LISTENER_VARIABLES, ...NOT_READ_YET };
    expect(TELLTALE.filter((name) => !(name.replace(/_FILE$/, '') in names))).toEqual([]);
  });

  it('knows every path that the port for messages serves, and no other', async () => {
    const listener = await startTestListener(await testKey());
    try {
      const status = async (path: string) => (await fetch(listener.origin + path)).status;
      for (const path of SERVED_PATHS.PORT) expect(await status(path)).toBe(200);
      expect(await status('/metrics')).toBe(404);
    } finally {
      await listener.close();
    }
    const source = readFileSync(join(ROOT, 'listener/src/http/app.ts'), 'utf8');
    const routed = [...source.matchAll(/^\s+'(\/[^']*)': \{/gm)].map(([, path]) => path);
    expect(routed.sort()).toEqual([...SERVED_PATHS.PORT].sort());
  });

  it('knows which path answers 503 while the database is away, and after how long', async () => {
    const listener = await startTestListener(await testKey(), {
      app: { readiness: async () => false },
    });
    try {
      for (const path of SERVED_PATHS.PORT) {
        const { status } = await fetch(listener.origin + path);
        expect(status).toBe(path === READINESS_PATH ? 503 : 200);
      }
    } finally {
      await listener.close();
    }
    const source = readFileSync(join(ROOT, 'listener/src/serve/start-listener.ts'), 'utf8');
    const [, milliseconds = ''] = /PING_MS = ([\d_]+);/.exec(source) ?? [];
    expect(Number(milliseconds.replaceAll('_', '')) / 1000).toBe(READINESS_SECONDS);
  });

  it('knows the one path that takes messages', async () => {
    const listener = await startTestListener(await testKey());
    try {
      for (const path of SERVED_PATHS.PORT) {
        const { status } = await fetch(listener.origin + path, { method: 'POST', body: '{}' });
        expect(status === 405).toBe(path !== DELIVERY_PATH);
      }
    } finally {
      await listener.close();
    }
  });

  it('knows every path that the port for metrics serves', async () => {
    const { registry } = createMetrics();
    const server = await startMetricsServer(registry, collectingLogger().logger, { port: 0 });
    try {
      const status = async (path: string) =>
        (await fetch(`http://127.0.0.1:${server.port}${path}`)).status;
      for (const path of SERVED_PATHS.METRICS_PORT) expect(await status(path)).toBe(200);
      for (const path of SERVED_PATHS.PORT) expect(await status(path)).toBe(404);
    } finally {
      await server.close(0);
    }
  });

  it('knows its roles', () => {
    expect(ROLES).toEqual(
      Object.fromEntries(
        LISTENER_ROLES.map((role) => [
          role,
          { intake: takesMessages(role), worker: judgesFiles(role) },
        ]),
      ),
    );
  });

  it('knows its commands and their options', async () => {
    const { out } = await cli(['--help']);
    const named = [...out.matchAll(/^ {2}([a-z]+)(?= |$)/gm)].map(([, name]) => name);
    expect(named.filter((name) => name !== 'help').sort()).toEqual([...COMMANDS].sort());
    const help = (await cli([SERVE, '--help'])).out;
    expect(help).toContain(ROLE_OPTION);
    expect(help).toContain(MIGRATE.option);
  });

  it('knows for how long SNS delivers', () => {
    expect(LONGEST_DELIVERY_SECONDS).toBe(LONGEST_RETRY_SECONDS);
  });
});
