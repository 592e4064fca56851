import { readFileSync } from 'node:fs';
import { COMMANDS } from '@file-processing/contract/listener-interface.ts';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { listenerMetrics } from '../../docs/generate/sections.ts';
import { OPERATIONS } from '../../src/operations/operations.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    readonly summary: string;
    readonly action: string;
    readonly runbook_url: string;
  };
}

const textOf = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

const { groups } = parse(textOf('docs/prometheus-rules.yaml')) as {
  groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);

/** Metrics that an expression reads, each with the text of its label matchers. */
const read = ({ expr }: Rule) =>
  [...expr.matchAll(/(file_processing_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', labels = '']) => ({
      name,
      labels: [...labels.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label, value = '']) => ({
        label,
        values: value.split('|'),
      })),
    }),
  );

test('the rules read metrics, with values of labels, that the listener has', async () => {
  const text = await listenerMetrics().registry.metrics();
  const found = rules.flatMap(read);
  expect(found.length).toBeGreaterThanOrEqual(rules.length);
  for (const { name, labels } of found) {
    expect(text).toContain(`# TYPE ${name} `);
    for (const { label, values } of labels) {
      for (const value of values) {
        expect(text).toMatch(new RegExp(`^${name}\\{[^}]*${label}="${value}"`, 'm'));
      }
    }
  }
});

test('there is a rule for everything that waits for somebody', () => {
  const names = rules.flatMap(read).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      'file_processing_dead_letters',
      'file_processing_dead_messages',
      'file_processing_dead_notices',
      'file_processing_missing_reports',
      'file_processing_unmonitored_files',
      'file_processing_late_deliveries',
      'file_processing_missing_deliveries',
      'file_processing_oldest_waiting_seconds',
      'file_processing_judgements_without_verdict_total',
    ]),
  );
});

test('each rule has a name of its own, says what it means, and names a command of manage', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  const commands = OPERATIONS.map(({ name }) => name);
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^FileProcessing[A-Z]\w+$/);
    expect(['critical', 'warning', 'info']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\.$/);
    expect(commands).toContain(/^npm run manage -- (\S+)/.exec(annotations.action)?.[1]);
  }
});

/** Texts of the sections of docs/runbooks.md by their headings. */
const runbooks = new Map(
  textOf('docs/runbooks.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n');
      return [heading, lines.join('\n')] as const;
    }),
);

test('each alert has its section of the runbooks, and each section its alert', () => {
  expect([...runbooks.keys()]).toEqual(rules.map(({ alert }) => alert));
  for (const { alert, annotations } of rules) {
    expect(annotations.runbook_url).toBe(`docs/runbooks.md#${alert.toLowerCase()}`);
  }
});

test('a section says what the alert means, what is lost, how to find the cause by commands, and how to fix it', () => {
  const commands = OPERATIONS.map(({ name }) => name);
  for (const { alert, annotations } of rules) {
    const text = runbooks.get(alert) ?? '';
    for (const part of ['What it means.', 'What is lost.', 'Find the cause.', 'Fix it.']) {
      expect(text, alert).toMatch(new RegExp(`^- \\*\\*${part}\\*\\*`, 'm'));
    }
    expect(text, alert).toContain(annotations.summary);
    const named = [...text.matchAll(/npm run manage -- ([\w-]+)(?: -- ([\w-]+))?/g)];
    expect(named.length, alert).toBeGreaterThan(0);
    for (const [, operation, command] of named) {
      expect(commands, alert).toContain(operation);
      if (command !== undefined) expect(COMMANDS, alert).toContain(command);
    }
  }
});

test('each alert is played by promtool, once to fire and once not to', () => {
  const played = textOf('__tests__/monitoring/prometheus-rules.test.yaml');
  for (const { alert } of rules) {
    expect(played).toContain(`alertname="${alert}",alertstate="firing"`);
    expect(played).toContain(`alertname: ${alert}\n`);
  }
});
