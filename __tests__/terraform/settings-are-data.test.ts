import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Testing } from 'cdktf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileProcessingStack } from '../../src/file-processing/stack.ts';
import { FoundationNetworkStack } from '../../src/foundation-network/stack.ts';
import { PostgresOnDemandStack } from '../../src/postgres-on-demand/stack.ts';
import { fileProcessingVariables } from '../../src/settings/file-processing-variables.ts';
import { foundationNetworkVariables } from '../../src/settings/foundation-network-variables.ts';
import { postgresOnDemandVariables } from '../../src/settings/postgres-on-demand-variables.ts';
import type { VariableTable } from '../../src/settings/variable.ts';
import {
  fileProcessingSettings,
  foundationNetworkSettings,
  postgresOnDemandSettings,
} from '../support/settings.ts';
import { type Terraform, terraformIn } from './support/terraform.ts';

/** Texts that Terraform would evaluate, in forms that different variables accept. */
const MARKERS = [
  'MARK ${file("/etc/hostname")} $${1 + 1} %{if true}x%{endif} %%{y}',
  'MARK${1+1}$${1+1}%{if(true)}x%{endif}',
  'https://MARK.example/${1+1}%{if(true)}x%{endif}',
];
/** What has to stand before a marker, by variable. */
const BEGINNINGS: Readonly<Record<string, string>> = { node_user_data: '#!/bin/sh ' };
const isMarked = (text: string) => text.includes('MARK');

/** Every setting that a marker fits into, with it. */
function marked(table: VariableTable) {
  return Object.entries(table).flatMap(([name, { type, accepts, acceptsItem, sensitive }]) => {
    if (sensitive) return [];
    const forms: Readonly<Record<string, (marker: string) => unknown>> = {
      string: (marker) => `${BEGINNINGS[name] ?? ''}${marker}`,
      'list(string)': (marker) => [marker],
      'map(string)': (marker) => ({ [name === 'tags' ? marker : 'key']: marker }),
    };
    const form = forms[type];
    const marker = form && MARKERS.find((one) => acceptsItem(one) && accepts(form(one)));
    return form && marker !== undefined ? [[name, form(marker), marker] as const] : [];
  });
}

const planted = {
  network: marked(foundationNetworkVariables),
  processing: marked(fileProcessingVariables),
  database: marked(postgresOnDemandVariables),
};
const settingsOf = (of: keyof typeof planted) =>
  Object.fromEntries(planted[of].map(([name, value]) => [name, value]));

/** Texts with a marker in a value of Terraform JSON, keys among them. */
function markedTexts(value: unknown): readonly string[] {
  if (typeof value === 'string') return isMarked(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    ...(isMarked(key) ? [key] : []),
    ...markedTexts(item),
  ]);
}

/** User data is in Base64, and begins as a MIME document does. */
function decoded(text: string): string {
  const plain = Buffer.from(text, 'base64').toString();
  return plain.startsWith('MIME-Version') ? plain : text;
}

let folder: string;
let terraform: Terraform;
let evaluated: readonly string[];

beforeAll(async () => {
  const app = new App();
  const stacks = [
    new FoundationNetworkStack(app, 'foundation-network', {
      environment: 'test',
      settings: foundationNetworkSettings(settingsOf('network')),
    }),
    new FileProcessingStack(app, 'file-processing', {
      environment: 'test',
      settings: fileProcessingSettings({
        ...settingsOf('processing'),
        image: 'registry.example/app:1',
        notice_secret_name: 'notices',
      }),
    }),
    new PostgresOnDemandStack(app, 'postgres-on-demand', {
      environment: 'test',
      settings: postgresOnDemandSettings(settingsOf('database')),
    }),
  ];
  // Beside a marker there may be references, which only the whole stack could answer.
  const texts = stacks
    .flatMap((stack) => markedTexts(JSON.parse(Testing.synth(stack))))
    .map((text) => text.replaceAll(/(?<!\$)\$\{(?:data\.)?aws_[^}]*\}/g, 'REFERENCE'));
  folder = mkdtempSync(join(tmpdir(), 'literals-'));
  writeFileSync(
    join(folder, 'main.tf.json'),
    JSON.stringify({ output: { texts: { value: texts } } }),
  );
  terraform = terraformIn(folder, { aws: { url: 'http://127.0.0.1:9' } });
  await terraform.apply();
  evaluated = ((await terraform.outputs()).texts as string[]).map(decoded);
});

afterAll(async () => {
  await terraform?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a setting that looks like an expression', () => {
  it('fits into maps, the endpoint and user data', () => {
    const names = Object.values(planted)
      .flat()
      .map(([name]) => name);
    expect(new Set(names)).toEqual(
      new Set([
        ...['tags', 'annotations', 'extra_environment', 'private_subnet_tags'],
        ...['sns_endpoint_url', 'node_user_data', 'notice_webhook_urls'],
      ]),
    );
  });

  it.each(
    Object.values(planted)
      .flat()
      .map(([name, , marker]) => [name, marker]),
  )('%s is the text that it is to Terraform', (_, marker) => {
    expect(evaluated.some((text) => text.includes(marker))).toBe(true);
  });

  it('is nowhere evaluated', () => {
    const markers = MARKERS.flatMap((marker) => [marker, JSON.stringify(marker).slice(1, -1)]);
    expect(
      evaluated.filter((text) => !markers.some((marker) => text.includes(marker))),
    ).toStrictEqual([]);
  });
});
