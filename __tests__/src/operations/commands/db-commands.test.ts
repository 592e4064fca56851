import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { OperationContext } from '../../../../src/operations/operation.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { PlayedRds } from '../../../support/played-rds.ts';
import { playedTerraform } from '../../../support/played-terraform.ts';

const ID = 'etl-platform-postgres';
let rds: PlayedRds;
let root: string;
beforeEach(() => {
  rds = new PlayedRds();
  root = temporaryRoot();
  setDatabase('');
});

/** The lines of postgres_on_demand.tfvars beside those that every stack needs. */
function setDatabase(lines: string): void {
  const common = 'foundation_name_prefix = "etl-platform"\naws_region = "us-gov-west-1"\n';
  writeFileSync(
    join(root, 'environments/etl-playground/postgres_on_demand.tfvars'),
    `${common}${lines}`,
  );
}

/** Runs a command against the played RDS; its clock goes on by what is slept. */
async function run(parameters: readonly string[], context: Partial<OperationContext> = {}) {
  let now = Date.parse('2026-01-02T03:04:05Z');
  return await manage(parameters, {
    root,
    aws: rds.clients,
    clock: {
      now: () => new Date(now),
      sleep: async (milliseconds) => {
        now += milliseconds;
      },
    },
    ...context,
  });
}

describe.each([
  ['rds', '', 'DBInstance', 'CreateDBSnapshot'],
  ['aurora', 'engine = "aurora"\n', 'DBCluster', 'CreateDBClusterSnapshot'],
])('with engine %s', (_, lines, kind, createSnapshot) => {
  beforeEach(() => setDatabase(lines));

  test('db-stop stops it after a yes, and says that AWS starts it again', async () => {
    rds.databases.set(ID, { status: 'available' });
    const questions: string[] = [];
    const { code, err } = await run(['db-stop'], {
      confirm: async (question) => questions.push(question) > 0,
    });
    expect(questions).toEqual([expect.stringContaining(`Stop ${ID}?`)]);
    expect(rds.changes).toEqual([`Stop${kind} ${ID}`]);
    expect(err).toContain(`${ID} is now stopped`);
    expect(err).toContain('starts it again after seven days');
    expect(code).toBe(0);
  });

  test('db-start starts it', async () => {
    rds.databases.set(ID, { status: 'stopped' });
    const { code, err } = await run(['db-start']);
    expect(rds.changes).toEqual([`Start${kind} ${ID}`]);
    expect(err).toContain(`${ID} is now available`);
    expect(code).toBe(0);
  });

  test('db-snapshot names its snapshot by the time', async () => {
    rds.databases.set(ID, { status: 'available' });
    const { code, out } = await run(['db-snapshot']);
    expect(out).toBe(`${ID}-20260102-030405\n`);
    expect(rds.changes).toEqual([`${createSnapshot} ${ID} ${ID}-20260102-030405`]);
    expect(code).toBe(0);
  });

  test('db-snapshot --list shows them', async () => {
    rds.snapshots.set('one', 'available').set('two', 'creating');
    const { out } = await run(['db-snapshot', '--list']);
    expect(out.split('\n').slice(1, 3)).toEqual([
      'one   2026-01-01T00:00:00.000Z  available  manual',
      'two   2026-01-01T00:00:00.000Z  creating   manual',
    ]);
    expect(rds.changes).toEqual([]);
  });
});

test.each(['db-start', 'db-stop', 'db-snapshot', 'db-connect'])(
  '%s says that there is no database, and what makes it',
  async (command) => {
    const { code, err } = await run([command]);
    expect(err).toContain(`there is no database ${ID} in us-gov-west-1`);
    expect(err).toContain('apply postgres-on-demand makes it');
    expect(code).toBe(1);
  },
);

test.each(['db-start', 'db-stop', 'db-snapshot', 'db-restore x', 'db-connect'])(
  '%s refuses an environment with a database of others',
  async (command) => {
    rmSync(join(root, 'environments/complete/postgres_on_demand.tfvars'));
    const environment = ['--environment', 'complete'];
    const { code, err } = await run([...command.split(' '), ...environment]);
    expect(err).toContain('environment complete has no postgres-on-demand');
    expect(code).toBe(64);
  },
);

describe('db-stop', () => {
  test('changes nothing when nobody says yes', async () => {
    rds.databases.set(ID, { status: 'available' });
    expect((await run(['db-stop'])).code).toBe(77);
    expect(rds.changes).toEqual([]);
  });

  test('changes nothing with --dry-run', async () => {
    rds.databases.set(ID, { status: 'available' });
    const { code, err } = await run(['db-stop', '--dry-run', '--auto-approve']);
    expect(err).toContain(`Dry run: ${ID} is available`);
    expect(rds.changes).toEqual([]);
    expect(code).toBe(0);
  });

  test('has nothing to do where it is stopped', async () => {
    rds.databases.set(ID, { status: 'stopped' });
    const { code, out, err } = await run(['db-stop', '--json']);
    expect(JSON.parse(out)).toEqual({ identifier: ID, status: 'stopped', changed: false });
    expect(err).toContain('already stopped');
    expect(rds.changes).toEqual([]);
    expect(code).toBe(0);
  });

  test.each(['modifying', 'backing-up', 'upgrading', 'incompatible-restore'])(
    'is refused while the database is %s',
    async (status) => {
      rds.databases.set(ID, { status });
      const { code, err } = await run(['db-stop', '--auto-approve']);
      expect(err).toContain(`${ID} is ${status}; it must be available`);
      expect(rds.changes).toEqual([]);
      expect(code).toBe(77);
    },
  );

  test('waits on where somebody else stops it, and gives up after its time', async () => {
    rds.databases.set(ID, { status: 'stopping' });
    const { code, err } = await run(['db-stop', '--wait', '60']);
    expect(err).toContain(`${ID} is stopping after 60 s, not stopped yet`);
    expect(rds.changes).toEqual([]);
    expect(code).toBe(69);
  });
});

describe('db-snapshot', () => {
  test('takes a name', async () => {
    rds.databases.set(ID, { status: 'available' });
    const { out } = await run(['db-snapshot', 'before-2027', '--json']);
    expect(JSON.parse(out)).toEqual({ snapshot: 'before-2027' });
  });

  test.each(['1st', 'a--b', 'a-', 'with blank', 'a'.repeat(256)])(
    'refuses the name %j',
    async (name) => {
      expect((await run(['db-snapshot', name])).code).toBe(64);
      expect(rds.changes).toEqual([]);
    },
  );

  test('is refused while the database is stopped', async () => {
    rds.databases.set(ID, { status: 'stopped' });
    const { code, err } = await run(['db-snapshot']);
    expect(err).toContain('db-start');
    expect(code).toBe(77);
  });
});

describe('db-restore', () => {
  const ASIDE = `${ID}-until-20260102-030405`;
  const DATABASE = 'aws_db_instance.database';
  const others = { 'aws_db_subnet_group.database': {}, [DATABASE]: {} };

  async function restore(
    parameters: readonly string[],
    held: readonly string[] = Object.keys(others),
    resources: Readonly<Record<string, Readonly<Record<string, unknown>>>> = others,
  ) {
    const played = playedTerraform({ resources, held, stack: 'postgres-on-demand' });
    const result = await run(['db-restore', ...parameters, '--profile', ''], {
      run: played.run,
      env: { CDKTF_OUTPUT: join(root, 'cdktf.out') },
    });
    return { ...result, ...played };
  }
  beforeEach(() => {
    rds.databases.set(ID, { status: 'available' });
    rds.snapshots.set('good', 'available');
  });

  test('gives the present one another name, forgets it, and makes the new one', async () => {
    const { code, commands, err } = await restore(['good', '--auto-approve']);
    expect(rds.changes).toEqual([`ModifyDBInstance ${ID} ${ASIDE}`]);
    expect(commands).toEqual([`state rm ${DATABASE}`, `plan -target=${DATABASE}`, 'apply']);
    expect(err).toContain(`${ASIDE} still exists, and is billed, until you delete it`);
    expect(code).toBe(0);
  });

  test('renames the instances of an Aurora cluster before the cluster', async () => {
    setDatabase('engine = "aurora"\n');
    const old = `${ID}-until-20260101-000000-3`;
    rds.databases.set(ID, { status: 'available', members: [`${ID}-1`, `${ID}-2`, old] });
    for (const member of [`${ID}-1`, `${ID}-2`]) rds.databases.set(member, { status: 'available' });
    const cluster = {
      'aws_rds_cluster.database': {},
      'aws_rds_cluster_instance.database_1': {},
      'aws_rds_cluster_instance.database_2': {},
    };
    const { commands } = await restore(['good', '--auto-approve'], Object.keys(cluster), cluster);
    expect(rds.changes).toEqual([
      `ModifyDBInstance ${ID}-1 ${ASIDE}-1`,
      `ModifyDBInstance ${ID}-2 ${ASIDE}-2`,
      `ModifyDBCluster ${ID} ${ASIDE}`,
    ]);
    expect(commands.slice(0, 3)).toEqual(Object.keys(cluster).map((name) => `state rm ${name}`));
  });

  test('goes on after it was interrupted when the name was free', async () => {
    rds.databases.clear();
    const { code, commands, err } = await restore(['good', '--auto-approve']);
    expect(rds.changes).toEqual([]);
    expect(err).toContain(`has renamed still exists and is billed: ${ID}-until-...`);
    expect(commands).toEqual([`state rm ${DATABASE}`, `plan -target=${DATABASE}`, 'apply']);
    expect(code).toBe(0);
  });

  test('goes on after it was interrupted when the state was free', async () => {
    rds.databases.clear();
    const { commands } = await restore(['good', '--auto-approve'], []);
    expect(commands).toEqual([`plan -target=${DATABASE}`, 'apply']);
  });

  test('is refused for a database that is not in the state, and says how to take it in', async () => {
    const { code, err, commands } = await restore(['good', '--auto-approve'], []);
    expect(err).toContain(`import ${DATABASE} ${ID}`);
    expect([rds.changes, commands]).toEqual([[], []]);
    expect(code).toBe(77);
  });

  test.each([
    ['unknown', 'there is no snapshot unknown of an instance of RDS'],
    ['young', 'the snapshot young is creating'],
  ])('is refused with the snapshot %s', async (snapshot, reason) => {
    rds.snapshots.set('young', 'creating');
    const { code, err } = await restore([snapshot, '--auto-approve']);
    expect(err).toContain(reason);
    expect(rds.changes).toEqual([]);
    expect(code).toBe(77);
  });

  test.each([[[]], [['--dry-run']]])('changes nothing with %j', async (parameters: string[]) => {
    const { commands } = await restore(['good', ...parameters]);
    expect([rds.changes, commands]).toEqual([[], []]);
  });

  test('is refused while the database is stopped', async () => {
    rds.databases.set(ID, { status: 'stopped' });
    const { code, err } = await restore(['good', '--auto-approve']);
    expect(err).toContain('it must be available');
    expect(code).toBe(77);
  });
});

describe('destroy postgres-on-demand', () => {
  async function destroy(parameters: readonly string[], attributes: object = {}) {
    const values = {
      deletion_protection: true,
      final_snapshot_identifier: `${ID}-final`,
      ...attributes,
    };
    const resources = { 'aws_db_instance.database': values, 'aws_kms_key.database': {} };
    const played = playedTerraform({
      resources,
      held: Object.keys(resources),
      stack: 'postgres-on-demand',
    });
    rds.databases.set(ID, { status: 'available', deletionProtection: true });
    const result = await run(['destroy', 'postgres-on-demand', '--profile', '', ...parameters], {
      run: played.run,
      env: { CDKTF_OUTPUT: join(root, 'cdktf.out') },
    });
    return { ...result, ...played };
  }

  test('is refused without --allow-data-loss, and plans nothing', async () => {
    const { code, err, commands } = await destroy(['--auto-approve']);
    expect(err).toContain('--allow-data-loss destroys it all the same');
    expect([rds.changes, commands]).toEqual([[], []]);
    expect(code).toBe(77);
  });

  test('lifts deletion protection once it was agreed to, and names the final snapshot', async () => {
    const { code, err, held } = await destroy(['--auto-approve', '--allow-data-loss']);
    expect(rds.changes).toEqual([`ModifyDBInstance ${ID}`]);
    expect(rds.databases.get(ID)?.deletionProtection).toBe(false);
    expect(held()).toEqual(['aws_kms_key.database']);
    expect(err).toContain(
      `What is left of the data: snapshot ${ID}-final, and the key that reads it`,
    );
    expect(code).toBe(0);
  });

  test('lifts nothing when nobody says yes', async () => {
    expect((await destroy(['--allow-data-loss'])).code).toBe(77);
    expect(rds.changes).toEqual([]);
  });

  test('lifts nothing with --dry-run', async () => {
    const { code } = await destroy(['--allow-data-loss', '--dry-run']);
    expect(rds.changes).toEqual([]);
    expect(code).toBe(0);
  });

  test('is refused where the final snapshot is there, in which it would fail half-way', async () => {
    rds.snapshots.set(`${ID}-final`, 'available');
    const { code, err } = await destroy(['--auto-approve', '--allow-data-loss']);
    expect(err).toContain(`the final snapshot ${ID}-final is there already`);
    expect(rds.changes).toEqual([]);
    expect(code).toBe(77);
  });

  test('is refused where Terraform would use another name than the tfvars say', async () => {
    const attributes = { final_snapshot_identifier: 'old-name' };
    const { code, err } = await destroy(['--auto-approve', '--allow-data-loss'], attributes);
    expect(err).toContain(`the final snapshot would be old-name, not ${ID}-final of the tfvars`);
    expect(code).toBe(77);
  });
});

describe('destroy postgres-on-demand a second time', () => {
  function destroyKey(...parameters: readonly string[]) {
    const resources = { 'aws_kms_key.database': {} };
    const held = Object.keys(resources);
    const played = playedTerraform({ resources, held, stack: 'postgres-on-demand' });
    const env = { CDKTF_OUTPUT: join(root, 'cdktf.out') };
    const command = ['destroy', 'postgres-on-demand', '--profile', '', '--auto-approve'];
    return run([...command, ...parameters], { run: played.run, env }).then((result) => ({
      ...result,
      held: played.held(),
    }));
  }

  test('keeps the key that the snapshots need', async () => {
    const { code, err, held } = await destroyKey();
    expect(err).toContain('aws_kms_key.database encrypts the snapshots and backups');
    expect(held).toEqual(['aws_kms_key.database']);
    expect(code).toBe(77);
  });

  test('deletes the key with --allow-data-loss', async () => {
    const { code, held } = await destroyKey('--allow-data-loss');
    expect(held).toEqual([]);
    expect(code).toBe(0);
  });
});

describe('db-connect', () => {
  const HOST = `${ID}.example.us-gov-west-1.rds.amazonaws.com`;
  beforeEach(() => {
    rds.databases.set(ID, { status: 'available' });
  });

  test('shows a relay, and psql with a token; no token itself', async () => {
    const { code, out } = await run(['db-connect', '--user', 'me']);
    expect(out).toContain(`connect(5432, "${HOST}")`);
    expect(out).toContain('port-forward "$POD" 15432');
    expect(out).toContain(`--hostname ${HOST} --port 5432 --username me --region us-gov-west-1`);
    expect(out).toContain("hostaddr='127.0.0.1' port='15432' user='me' dbname='file_processing'");
    expect(out).not.toContain('X-Amz-Signature');
    expect(code).toBe(0);
  });

  test('--exec runs psql with a token in its environment alone', async () => {
    const runs: unknown[] = [];
    const { code, out } = await run(
      ['db-connect', '--exec', '--user', "o'hara", '--ca-file', 'rds.pem'],
      {
        run: async (program, parameters, options) => {
          runs.push({ program, parameters, token: options?.env?.PGPASSWORD });
          return { code: 3, stdout: '', stderr: '' };
        },
      },
    );
    expect(runs).toEqual([
      {
        program: 'psql',
        parameters: [
          `host='${HOST}' port='5432' user='o\\'hara' dbname='file_processing' sslmode='verify-full' sslrootcert='rds.pem'`,
        ],
        token: expect.stringMatching(/Action=connect.*X-Amz-Signature=/),
      },
    ]);
    expect(out).toBe('');
    expect(code).toBe(3);
  });

  test('--exec needs the authorities of RDS', async () => {
    const { code, err } = await run(['db-connect', '--exec', '--user', 'me']);
    expect(err).toContain('--exec needs --ca-file');
    expect(code).toBe(64);
  });

  test('needs a user where the listener has another database', async () => {
    writeFileSync(
      join(root, 'environments/etl-playground/file_processing.tfvars'),
      'foundation_name_prefix = "etl-platform"\nbucket_name = "drop-box"\n',
    );
    const { code, err } = await run(['db-connect']);
    expect(err).toContain('database = "on_demand"');
    expect(code).toBe(64);
  });

  test.each(['0', '65536', 'x'])('refuses the port %s', async (port) => {
    expect((await run(['db-connect', '--local-port', port])).code).toBe(64);
  });
});
