import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditResult } from '../../../audit/judge.ts';
import { htmlReport } from '../../../audit/report/html-report.ts';
import { reportOf } from '../../../audit/report/summary.ts';
import { changeStack } from '../../fixtures/audit/bad-stack.ts';
import { ROOT } from '../../support/run-main.ts';
import { audited, faultIn } from '../support/audited.ts';
import {
  synthesizedFolder,
  type TemporaryFolder,
  temporaryFolder,
} from '../support/synthesized-folder.ts';

const SECRET = 'correct-horse-battery-staple';

let folder: TemporaryFolder;
let out: TemporaryFolder;
let result: AuditResult;
let page: string;

beforeAll(async () => {
  folder = synthesizedFolder('complete');
  out = temporaryFolder();
  changeStack(folder.path, ({ variable, resource }) => {
    variable.db_password.default = SECRET;
    resource.kubernetes_secret_v1.database.data = { DB_PASSWORD: SECRET };
    resource.aws_kms_alias.logs.name = 'alias/<img src=x onerror=alert(1)>';
  });
  const fault = 'it must not be here: <b>bold</b>';
  result = await audited(folder.path, out.path, [faultIn('aws_nat_gateway', fault)]);
  page = htmlReport(reportOf(result));
});
afterAll(() => {
  folder.remove();
  out.remove();
});

it('closes every element that it opens, in order', () => {
  const open: string[] = [];
  const body = page.replace(/<style>[\s\S]*?<\/style>/, '');
  for (const [, slash, name = ''] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (name !== 'meta') open.push(name);
  }
  expect(open).toEqual([]);
});

it('needs nothing from outside, and runs nothing', () => {
  expect(page).not.toMatch(/<(script|link|img|iframe|object|embed)\b/);
  expect(page).not.toMatch(/<[^>]*\b(src|srcset|action|formaction)=/);
  expect([...page.matchAll(/href="([^"]*)"/g)].map(([, to]) => to)).toEqual(
    expect.arrayContaining(['#findings']),
  );
  expect(page).not.toMatch(/href="(?!#)/);
  expect(page).not.toMatch(/url\(|@import/);
});

it('links to sections that it has', () => {
  for (const [, id] of page.matchAll(/href="#([^"]*)"/g)) {
    expect(page).toContain(`<section id="${id}">`);
  }
});

it('shows no secret and no path of the machine', () => {
  expect(page).not.toContain(SECRET);
  expect(page).not.toContain(ROOT);
});

it('escapes what comes from the stacks', () => {
  expect(page).toContain('&lt;b&gt;bold&lt;/b&gt;');
  expect(page).toContain('alias/&lt;img src=x');
});

it('tells what was checked, with the digest of each file', () => {
  expect(page).toContain('own rules');
  expect(page.match(/<code>[0-9a-f]{64}<\/code>/g)).toHaveLength(3);
});

it('lists every resource', () => {
  for (const { address } of result.looks[0].model.resources) {
    expect(page).toContain(`<code>${address}</code>`);
  }
});

it('says who may do what, what the internet reaches and what is encrypted', () => {
  expect(page).toContain('Service s3.amazonaws.com may sns:Publish on');
  expect(page).toContain('A load balancer listens for TCP 443 with TLS');
  expect(page).toContain('aws_kms_key.events, rotated every year');
});

describe('an assessor who asks for AC-6', () => {
  const part = () => page.split('<section id="AC-6">')[1]?.split('</section>')[0] ?? '';

  it('finds it in the index before anything else, with a verdict that is not green', () => {
    const first = page.split('<main>')[1]?.split('</section>')[0] ?? '';
    expect(first).toMatch(
      /<section id="index">[\s\S]*Access Control: .*href="#AC-6"[^>]*>AC-6 \(red\)/,
    );
  });

  it('finds its rules, verdicts and findings in one place, and what else bears on it', () => {
    expect(part()).toContain('AC-6 Least Privilege');
    expect(part()).toContain('<code>no-aws-nat-gateway</code>');
    expect(part()).toContain('<span class="red">red</span>');
    expect(part()).toContain('<code>foundation-network/aws_nat_gateway.public_a</code>: It must');
    expect(part()).toContain('href="#policies"');
  });

  it('finds the waivers with owner and last day', () => {
    const [finding] = result.findings.filter(({ rule }) => rule === 'no-aws-nat-gateway');
    if (finding === undefined) throw new Error('there is no finding');
    const waiver = {
      rule: finding.rule,
      address: finding.place,
      reason: 'It is meant to be so.',
      owner: 'the network team',
      expires: '2027-01-31',
      line: 1,
    };
    const waived = htmlReport(
      reportOf({ ...result, findings: [], waived: [{ ...finding, waiver }] }),
    );
    expect(waived.split('<section id="AC-6">')[1]?.split('</section>')[0]).toContain(
      'by the network team until 2027-01-31: It is meant to be so.',
    );
  });

  it('finds the control in every table, and the resources that its rules looked at', () => {
    for (const [, head = ''] of page.matchAll(/<thead>([\s\S]*?)<\/thead>/g)) {
      expect(head).toMatch(/<th scope="col">Controls?\b/);
    }
    expect(page.split('<section id="inventory">')[1]).toMatch(
      /aws_nat_gateway\.public_a<\/code><\/th>.*href="#AC-6">AC-6<\/a> <a href="#CM-8">CM-8/,
    );
  });
});

it('lists what no rule covers, and what CJIS has beside the families', () => {
  expect(page.split('<section id="not-covered">')[1]).toContain('Physical Access Control');
  expect(page).toContain('Information Exchange Agreements');
});

it('says in the verdict that no second scanner ran, and what was not looked at', () => {
  expect(page).toMatch(/class="verdict red">[^<]*No second scanner ran/);
  expect(page).toContain('What was not looked at');
});

it('says that it is red, and is meant for people who read without seeing', () => {
  expect(page).toContain('class="verdict red"');
  expect(page).toContain('<html lang="en">');
  expect(page.match(/<table>/g)?.length).toBe(page.match(/<caption>/g)?.length);
});
