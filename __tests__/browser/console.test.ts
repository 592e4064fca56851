import { expectationProblems } from '@file-processing/quality/expectation.ts';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningConsole, startConsole } from '../../listener/src/console/console.ts';
import { seedDefinitions } from '../../listener/src/database/seed.ts';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../listener/src/jobs/record-judgement.ts';
import { s3DataQualityJob } from '../../listener/src/jobs/s3-data-quality-job.ts';
import { SEED_FOLDER } from '../../listener/src/rules/rule-set.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { begin } from '../listener/support/runs.ts';
import { storeOf } from '../listener/support/stores.ts';
import { violationsOn } from './support/accessibility.ts';
import { startChromium } from './support/chromium.ts';

let given: TestDatabase;
let pages: RunningConsole;
let browser: Browser;
let failed: string;
beforeAll(async () => {
  given = await createTestDatabase();
  await seedDefinitions(given.database, SEED_FOLDER, expectationProblems);
  const monitored = 'from_client/nm_albuquerque/Officer_Detail.csv';
  for (const rows of ['1', '1\n2'])
    await judge(`officer_id\n${rows}\n`, monitored, `${rows.length}`);
  failed = await judge('n,text\n1,a\n1,b,c\n', 'from_client/nm/Officer_Detail.csv');
  await judge('n\n1\n', 'from_client/nm/Good.csv');
  await judge('n\n1\n', `<img src=x onerror="document.title='owned'">\u202efdp.csv`);
  const onError = (error: unknown) => {
    throw error;
  };
  pages = await startConsole({ database: given.database, port: 0, onError });
  browser = await startChromium();
});
afterAll(async () => {
  await browser?.close();
  await pages?.close();
  await given?.drop();
});

async function judge(content: string, key: string, eTag = 'e1'): Promise<string> {
  const bucket = 'etl-ba-research-client-etl';
  const held = await begin(given.database, { bucket, key, eTag });
  await recordJudgement(held, {
    database: given.database,
    job: s3DataQualityJob,
    store: storeOf(content),
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 100,
    signal: new AbortController().signal,
  });
  return held.runId;
}

// The console needs no script, so none may run.
describe('the console, without JavaScript', () => {
  let page: Page;
  beforeEach(async () => {
    page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await page.goto(pages.address);
    return () => page.context().close();
  });

  it('leads from the list to the row to fix', async () => {
    expect(page.url()).not.toContain('token');
    await page.click('text=from_client/nm/Officer_Detail.csv');
    expect(await page.textContent('.verdict')).toBe('failed');
    expect(await page.textContent('main')).toMatch(/extra-cell/);
  });

  it('opens at the page of one run by its address', async () => {
    await page.goto(pages.addressOf(failed));
    expect(await page.textContent('h1')).toBe(
      'etl-ba-research-client-etl/from_client/nm/Officer_Detail.csv',
    );
  });

  it('is used by the keyboard alone: choose, show, open', async () => {
    await page.focus('input[name=key]');
    await page.keyboard.type('from_client/nm/G');
    await page.keyboard.press('Enter');
    await page.waitForURL(/key=from_client/);
    expect(await page.locator('tbody tr').count()).toBe(1);
    await page.focus('tbody a');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\//);
    expect(await page.textContent('.verdict')).toBe('passed');
  });
});

describe('the console', () => {
  it.each(['light', 'dark'] as const)('is accessible in the %s scheme', async (colorScheme) => {
    const page = await (await browser.newContext({ colorScheme })).newPage();
    await page.goto(pages.address);
    expect(await violationsOn(page)).toEqual([]);
    await page.goto(pages.addressOf(failed));
    expect(await violationsOn(page)).toEqual([]);
    await page.click('text=Monitored files');
    expect(await violationsOn(page)).toEqual([]);
    await page.click('tbody a');
    expect(await page.textContent('h2#rules')).toBe('Rules: officer_detail 1');
    expect(await violationsOn(page)).toEqual([]);
    await page.context().close();
  });

  it('runs nothing that stands in a key, and fits a phone', async () => {
    const page = await (
      await browser.newContext({ viewport: { width: 360, height: 640 } })
    ).newPage();
    await page.goto(pages.address);
    expect(await page.title()).toBe('Deliveries');
    expect(await page.$('img')).toBeNull();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await page.context().close();
  });
});
