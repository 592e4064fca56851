import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { ElementHandle } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildBundle } from '../listener/support/bundled-cli.ts';
import { cli } from '../listener/support/cli.ts';
import { violationsOn } from './support/accessibility.ts';
import { startChromium, startFirefox } from './support/browsers.ts';

const MAPPING = {
  name: 'officers',
  version: 1,
  tableSchema: {
    fields: [
      { name: 'id', type: 'integer', constraints: { required: true, unique: true } },
      { name: 'name', type: 'string', constraints: { pattern: '[A-Z][a-z]+' } },
      { name: 'hired', type: 'date' },
      { name: 'badge', type: 'string', classification: 'sensitive', constraints: { maxLength: 4 } },
    ],
    primaryKey: ['id'],
  },
};
const HEADER = 'id,name,hired,badge\n';
const GOOD = `${HEADER}1,Ann,2020-01-01,K1\n2,Bob,2021-02-03,K2\n`;
const BAD = `${HEADER}1,Ann,2020-01-01,K1\nx,bob,2021-13-03,S3cretBadge\n1,Cid,2020-02-02\n`;

/** Each is judged by the page as by the command line. */
const FILES: Readonly<Record<string, string | Buffer>> = {
  'a good file': GOOD,
  'a bad file': BAD,
  'an empty file': '',
  'a header alone': HEADER,
  'a file without a last line end': GOOD.trimEnd(),
  'line ends of Windows': GOOD.replaceAll('\n', '\r\n'),
  semicolons: GOOD.replaceAll(',', ';'),
  'a byte order mark': `\ufeff${GOOD}`,
  'UTF-16': Buffer.from(`\ufeff${GOOD}`, 'utf16le'),
  'a quote that is never closed': GOOD.replace('Bob', '"Bob'),
  'quotes and line ends in cells': GOOD.replace('Ann', '"A ""n""\nn"'),
  'bytes that are not text': Buffer.from(GOOD.replace('Ann', 'M\xfcnch'), 'latin1'),
  'a workbook': Buffer.from('PK\x03\x04[Content_Types].xml'),
  'a file packed by gzip': gzipSync(GOOD),
  'a thousand faulty rows': `${HEADER}${'x,y,z,w\n'.repeat(1_000)}`,
};

let browser: Browser;
let folder: string;
let address: string;
beforeAll(async () => {
  await buildBundle();
  folder = await mkdtemp(join(tmpdir(), 'checker-'));
  const mapping = join(folder, 'officers.json');
  await writeFile(mapping, JSON.stringify(MAPPING));
  const output = join(folder, 'check.html');
  expect(await cli(['checker', mapping, '--output', output])).toMatchObject({ code: 0 });
  address = pathToFileURL(output).href;
  browser = await startChromium();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

let context: BrowserContext;
let page: Page;
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(() => context.close());

const fileOf = (content: string | Buffer, name = 'officers.csv') => ({
  name,
  mimeType: 'text/csv',
  buffer: Buffer.from(content),
});

async function check(content: string | Buffer, name?: string): Promise<void> {
  await page.goto(address);
  await page.setInputFiles('#file', fileOf(content, name));
  await page.waitForSelector('#result .verdict');
}

describe('the page that checks before sending', () => {
  it.each(Object.entries(FILES))('reports as the command line does on %s', async (_, content) => {
    await page.goto(address);
    const inPage = await page.evaluate(
      `new Promise((resolve) => {
         const worker = new Worker(URL.createObjectURL(new Blob([CHECKER.workerSource])));
         worker.onmessage = ({ data }) => { if (data.kind !== 'progress') resolve(data.report); };
         const bytes = Uint8Array.fromBase64(${JSON.stringify(Buffer.from(content).toString('base64'))});
         worker.postMessage({ file: new File([bytes], 'a.csv'), expectation: CHECKER.expectation });
       })`,
    );
    const [file, mapping] = [join(folder, 'a.csv'), join(folder, 'officers.json')];
    await writeFile(file, content);
    const { out } = await cli(['validate', file, '--schema', mapping, '--json']);
    const { file: _file, durationMs: _duration, ...report } = JSON.parse(out);
    const { durationMs: _ownDuration, ...own } = JSON.parse(JSON.stringify(inPage));
    expect(own).toStrictEqual(report);
  });

  it('says in words which row to fix', async () => {
    await check(BAD);
    expect(await page.textContent('#result .verdict')).toBe('failed');
    expect(await page.textContent('#result')).toMatch(/type-error in column 1 id: 1/);
  });

  it('shows no value of a sensitive column', async () => {
    await check(BAD);
    expect(await page.content()).not.toContain('>S3cretBadge');
    expect(await page.textContent('#result')).toContain('A9aaaaAaaaa #');
  });

  it('checks a file that is dropped on it', async () => {
    await page.goto(address);
    const data = await page.evaluateHandle(
      `(() => { const data = new DataTransfer(); data.items.add(new File([${JSON.stringify(BAD)}], 'dropped.csv')); return data; })()`,
    );
    await page.dispatchEvent('body', 'drop', { dataTransfer: data });
    expect(await page.textContent('#result h1')).toBe('dropped.csv');
  });

  it('is used by the keyboard alone', async () => {
    // Asked for first: until the browser knows, it opens a dialog of its own, and nobody is told when it does.
    const choosing = page.waitForEvent('filechooser');
    await page.goto(address);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('file');
    await page.keyboard.press('Space');
    await (await choosing).setFiles(fileOf(BAD));
    await page.waitForSelector('#result .verdict');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toMatch(/^Save the rows/);
  });

  it('saves the rows to fix, which no spreadsheet takes for formulas', async () => {
    await check(`${HEADER}=1+1,Ann,2020-01-01,K1\n`);
    const downloading = page.waitForEvent('download');
    await page.click('a[download]');
    const download = await downloading;
    expect(download.suggestedFilename()).toBe('officers.csv.rejects.csv');
    expect(await readFile(await download.path(), 'utf8')).toMatch(
      /^\ufeffrecord,line,fault,column,label,value,message\r\n2,2,"type-error",1,"id","'=1\+1",/,
    );
  });

  it('says of a damaged archive that it cannot be read', async () => {
    await check(gzipSync(GOOD).fill(0, 20, 30), 'officers.csv.gz');
    expect(await page.textContent('#result .verdict')).toBe('unreadable');
    expect(await page.textContent('#result')).toContain('The gzip archive is damaged');
  });

  it('offers no rows to fix where the whole file is wrong', async () => {
    await check('', 'officers.csv');
    expect(await page.textContent('#faults')).toBe('1 fault of the header or the whole file');
    expect(await page.locator('a[download]').count()).toBe(0);
  });

  it('breaks no short key or value over lines beside a long row', async () => {
    await page.setViewportSize({ width: 660, height: 800 });
    await check(`${HEADER}1,A${'n'.repeat(39)},2021-13-03,K1\n`);
    const heights = await page
      .locator('section[aria-labelledby=faults] td > .text')
      .evaluateAll((texts) => texts.map((text) => text.getClientRects().length));
    expect(new Set(heights)).toEqual(new Set([1]));
  });

  it('does not judge what it cannot unpack, and says so', async () => {
    await page.goto(address);
    await page.setInputFiles('#file', fileOf(zstdCompressSync(GOOD), 'officers.csv.zst'));
    await page.locator('#status', { hasText: 'zstd' }).waitFor();
    expect(await page.textContent('#status')).toMatch(/not checked here/);
    expect(await page.$('#result .verdict')).toBeNull();
  });

  it('lets nothing out: no address can be reached from it', async () => {
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await check(BAD);
    const reach = `fetch('http://127.0.0.1:9/').then(() => 'reached', ({ message }) => message)`;
    expect(await page.evaluate(reach)).toMatch(/Failed to fetch/);
    const policy = `new Promise((resolve) => {
      addEventListener('securitypolicyviolation', ({ effectiveDirective }) => resolve(effectiveDirective));
      fetch('http://127.0.0.1:9/').catch(() => undefined);
    })`;
    expect(await page.evaluate(policy)).toBe('connect-src');
    expect(requests.filter((url) => !/^(file|blob):/.test(url))).toEqual([]);
  });

  it('runs nothing that stands in a file, in its name or in its header', async () => {
    const attack = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => dialogs.push(dialog.message()));
    const cell = `"${attack.replaceAll('"', '""')}"`;
    await check(`id,name,hired,${cell}\n${cell},${cell},\u202e,x\n`, `${attack}.csv`);
    expect(await page.title()).toBe('Check officers');
    expect(await page.$$('#result img, #result script')).toEqual([]);
    expect(dialogs).toEqual([]);
  });

  it('shows a cell of a megabyte without its whole length', async () => {
    await check(`${HEADER}${'x'.repeat(1_000_000)},Ann,2020-01-01,K1\n`);
    expect((await page.content()).length).toBeLessThan(2_000_000);
    expect((await page.innerHTML('#result')).length).toBeLessThan(300_000);
  });

  it.each(['light', 'dark'] as const)('is accessible in the %s scheme', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await check(BAD);
    expect(await violationsOn(page)).toEqual([]);
  });

  it('fits the width of a phone', async () => {
    await page.setViewportSize({ width: 360, height: 640 });
    await check(BAD);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  });

  it('says without JavaScript that it needs it', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false });
    const without = await plain.newPage();
    await without.goto(address);
    expect(await without.textContent('noscript')).toContain('This page needs JavaScript.');
    await plain.close();
  });
});

// Who sends files has another browser: the same page, by another engine.
describe('the page that checks before sending, in Firefox', () => {
  it('reads a file, says which row to fix, and shows no sensitive value', async () => {
    const firefox = await startFirefox();
    try {
      const tab = await firefox.newPage();
      await tab.goto(address);
      const path = join(folder, 'firefox.csv');
      await writeFile(path, BAD);
      const input = await tab.waitForSelector('input[type=file]');
      await (input as ElementHandle<HTMLInputElement>).uploadFile(path);
      await tab.waitForSelector('#result .verdict');
      const text = await tab.$eval('#result', (element) => element.textContent ?? '');
      expect(text).toContain('firefox.csv');
      expect(text).toMatch(/type-error in column 1 id: 1/);
      expect(text).not.toContain('S3cretBadge');
    } finally {
      await firefox.close();
    }
  });

  it('passes a good file that is packed', async () => {
    const firefox = await startFirefox();
    try {
      const tab = await firefox.newPage();
      await tab.goto(address);
      const path = join(folder, 'firefox.csv.gz');
      await writeFile(path, gzipSync(GOOD));
      const input = await tab.waitForSelector('input[type=file]');
      await (input as ElementHandle<HTMLInputElement>).uploadFile(path);
      await tab.waitForSelector('#result .verdict');
      expect(await tab.$eval('#result .verdict', ({ textContent }) => textContent)).toBe('passed');
    } finally {
      await firefox.close();
    }
  });
});

describe('the page of a report', () => {
  it.each(['light', 'dark'] as const)(
    'is accessible in the %s scheme, without a script',
    async (colorScheme) => {
      const [file, mapping] = [join(folder, 'report.csv'), join(folder, 'officers.json')];
      await writeFile(file, BAD);
      await cli(['validate', file, '--schema', mapping, '--html', folder]);
      await page.emulateMedia({ colorScheme });
      await page.goto(pathToFileURL(join(folder, 'report.csv.html')).href);
      expect(await page.textContent('.verdict')).toBe('failed');
      expect(await violationsOn(page)).toEqual([]);
    },
  );
});
