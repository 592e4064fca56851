import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIENTS_SQL, deliveriesSql, pagesToOpen, VACUUM_SQL } from '../../../../bench/pages.ts';
import { type RunningConsole, startConsole } from '../../../../listener/src/console/console.ts';
import { liveViews } from '../../../../listener/src/console/live.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const TOKEN = 'a-token-of-the-test';
const RUNS = 50_000;
/** A page lists 51 deliveries, and counts no further than 1,000: one in a hundred is of a client. */
const MOST_ROWS = 12_000;

let given: TestDatabase;
let pages: RunningConsole;
let paths: ReturnType<typeof pagesToOpen>;
beforeAll(async () => {
  given = await createTestDatabase();
  // Statistics of all rows, and not of a sample: a plan must not depend on which rows are in it.
  for (const column of ['key', 'created_at']) {
    await given.database.raw(
      `ALTER TABLE file_processing.runs ALTER COLUMN ${column} SET STATISTICS 1000`,
    );
  }
  for (const statement of [...CLIENTS_SQL, deliveriesSql({ count: RUNS }), VACUUM_SQL]) {
    await given.database.raw(statement);
  }
  const run = await given.database('runs').where({ verdict: 'failed' }).first('id');
  const file = await given.database('monitoring_files').first('id');
  paths = pagesToOpen({ run: run.id, file: file.id });
  const onError = (error: unknown) => {
    throw error;
  };
  pages = await startConsole({
    ...{ database: given.database, port: 0, token: TOKEN, onError },
    acting: {} as never,
  });
});
afterAll(async () => {
  await pages?.close();
  await given.drop();
});

/** One step of a plan that was made and carried out. */
interface Step {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Filter?: string;
  readonly Plans?: readonly Step[];
}

/** What work asks of the database: each statement with its plan. */
async function plansOf(
  work: () => Promise<unknown>,
): Promise<readonly (readonly [string, Step])[]> {
  const asked: { readonly sql: string; readonly bindings: readonly unknown[] }[] = [];
  const note = (query: (typeof asked)[number]) => asked.push(query);
  given.database.on('query', note);
  await work();
  given.database.off('query', note);
  const plans: (readonly [string, Step])[] = [];
  for (const { sql, bindings } of asked) {
    if (!/^\s*(select|with)/i.test(sql)) continue;
    const { rows } = await given.database.client
      .acquireConnection()
      .then(async (connection: { query(text: string, values: readonly unknown[]): unknown }) => {
        try {
          return await connection.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, bindings);
        } finally {
          await given.database.client.releaseConnection(connection);
        }
      });
    plans.push([sql, rows[0]['QUERY PLAN'][0].Plan]);
  }
  return plans;
}

function stepsOf(step: Step): readonly Step[] {
  return [step, ...(step.Plans ?? []).flatMap(stepsOf)];
}

/** Rows of runs and judgements that a step reads, those included that it passes over. */
function readBy(step: Step): number {
  if (!['runs', 'judgements'].includes(step['Relation Name'] ?? '')) return 0;
  const {
    'Actual Rows': rows,
    'Actual Loops': loops,
    'Rows Removed by Filter': removed = 0,
  } = step;
  return (rows + removed) * loops;
}

/** A scan of all runs: only one that stops at a limit and passes over none is none. */
function scansRuns(step: Step, parent?: Step): boolean {
  const isScan = step['Node Type'].includes('Seq Scan') && step['Relation Name'] === 'runs';
  if (isScan && !(parent?.['Node Type'] === 'Limit' && step.Filter === undefined)) return true;
  return (step.Plans ?? []).some((one) => scansRuns(one, step));
}

describe('no page scans the table of runs, or reads more of it than it may count', () => {
  const names = Object.keys(pagesToOpen({ run: '', file: 0 })) as (keyof typeof paths)[];

  it.each(names)('%s', async (name) => {
    const plans = await plansOf(async () => {
      const answer = await fetch(new URL(paths[name], pages.address), {
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
      expect(answer.status).toBe(200);
      await answer.text();
    });
    expect(plans.length).toBeGreaterThan(0);
    expect(plans.filter(([, plan]) => scansRuns(plan)).map(([sql]) => sql)).toEqual([]);
    const most = plans.flatMap(([sql, plan]) => stepsOf(plan).map((step) => [readBy(step), sql]));
    expect(most.filter(([rows]) => Number(rows) > MOST_ROWS)).toEqual([]);
  });

  it('so a list says how many there are no further than anybody counts', async () => {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const page = await (await fetch(new URL('/', pages.address), { headers })).text();
    expect(page).toContain('50 of more than 1,000, newest first');
  });

  it('a live view', async () => {
    const views = liveViews({ database: given.database, onError: () => undefined });
    const plans = await plansOf(async () => {
      const stream = views.open({ name: 'ana', clients: ['client_7'] });
      if (typeof stream === 'object') await stream.iterator().next();
      views.close();
      await eventually(() => expect(views.isLooking).toBe(false));
    });
    const read = plans.flatMap(([, plan]) => stepsOf(plan).map(readBy));
    expect(plans.filter(([, plan]) => scansRuns(plan)).map(([sql]) => sql)).toEqual([]);
    expect(Math.max(...read)).toBeLessThan(1_000);
  });
});
