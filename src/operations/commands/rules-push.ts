import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import {
  RULES_MANIFEST,
  type RulesManifest,
  readRulesLocation,
  readRulesManifest,
} from '@file-processing/contract/rule-set.ts';
import {
  environmentRulesFolder,
  type RuleTexts,
  ruleTextsIn,
} from '../../settings/rules-folder.ts';
import type { Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { checkRules } from '../rules-check.ts';
import { targetOf } from '../target.ts';

interface Options {
  readonly dryRun: boolean;
}

/** Objects that are put at the same time. */
const PUTS = 16;

/** `manage rules-push`: puts a rule set where the listener reads it. */
export const rulesPush: Operation<Options> = {
  name: 'rules-push',
  summary: 'check a rule set and upload it to where the listener reads it, its manifest last',
  describe: (command) =>
    command
      .argument('[folder]', 'the rule set (default: environments/<name>/rules)')
      .option('--dry-run', 'check and compare, upload nothing', false),
  execute: async (context, options, operand) => {
    const target = targetOf(context, options);
    const { name, fileProcessing } = target.environment;
    const location = readRulesLocation(fileProcessing.rules_location);
    if (location === undefined || !('bucket' in location)) {
      throw new OperationError(`${name} has no rules_location`, {
        code: EXIT.refused,
        next: 'set rules_location = "s3://BUCKET/PREFIX/" in its file_processing.tfvars and apply',
      });
    }
    const folder = resolve(context.root, operand ?? environmentRulesFolder(name));
    await checkRules(context, folder);
    const texts = ruleTextsIn(folder);
    const s3 = await target.clients.s3();
    const { changed, left, isSame } = await pushRules(s3, location, texts, options);
    const result = { location: fileProcessing.rules_location, changed, left };
    const done = isSame ? 'unchanged' : options.dryRun ? 'would be pushed' : 'pushed';
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ ...result, dryRun: options.dryRun })}\n`
        : `${result.location}: ${done}, ${texts.size} files, ${changed.length} new or changed, ${left.length} left out\n`,
    );
    return EXIT.ok;
  },
};

/** What a push changes, or changed. */
interface Push {
  /** Paths of files that are new or other ones. */
  readonly changed: readonly string[];
  /** Paths of files that are not of the set any more. */
  readonly left: readonly string[];
  readonly isSame: boolean;
}

/** Puts the files of a rule set that have changed below a prefix, and then their manifest. */
export async function pushRules(
  s3: S3Client,
  location: Prefix,
  texts: RuleTexts,
  { dryRun }: Options = { dryRun: false },
): Promise<Push> {
  const manifest: RulesManifest = { version: 1, files: digestsOf(texts) };
  const before = await manifestOf(s3, location);
  const changed = Object.keys(manifest.files).filter(
    (path) => manifest.files[path] !== before?.files[path],
  );
  const left = Object.keys(before?.files ?? {}).filter((path) => !(path in manifest.files));
  const isSame = before !== undefined && changed.length + left.length === 0;
  if (!dryRun && !isSame) {
    await putAll(s3, location, new Map(changed.map((path) => [path, texts.get(path) ?? ''])));
    // Last: until then the listener finds the files that are new to be none of the manifest's, and waits.
    await put(s3, location, RULES_MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
  }
  return { changed, left, isSame };
}

function digestsOf(texts: ReadonlyMap<string, string>): RulesManifest['files'] {
  return Object.fromEntries(
    [...texts].map(([path, text]) => [path, createHash('sha256').update(text).digest('hex')]),
  );
}

interface Prefix {
  readonly bucket: string;
  readonly prefix: string;
}

/** What was pushed before; undefined for nothing, and for what is not a manifest. */
async function manifestOf(
  s3: S3Client,
  { bucket, prefix }: Prefix,
): Promise<RulesManifest | undefined> {
  const { GetObjectCommand, NoSuchKey } = await import('@aws-sdk/client-s3');
  const get = new GetObjectCommand({ Bucket: bucket, Key: `${prefix}${RULES_MANIFEST}` });
  const answer = await s3.send(get).catch((error: unknown) => {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  });
  const text = await answer?.Body?.transformToString();
  return text === undefined ? undefined : readRulesManifest(text);
}

async function putAll(
  s3: S3Client,
  prefix: Prefix,
  texts: ReadonlyMap<string, string>,
): Promise<void> {
  const left = [...texts];
  const putSome = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      await put(s3, prefix, next[0], next[1]);
    }
  };
  await Promise.all(Array.from({ length: PUTS }, putSome));
}

async function put(
  s3: S3Client,
  { bucket, prefix }: Prefix,
  path: string,
  text: string,
): Promise<void> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${path}`, Body: text }));
}
