import {
  isRuleFile,
  MAX_RULE_FILE_BYTES,
  RULES_MANIFEST,
  type RulesLocation,
  readRulesManifest,
} from '@file-processing/contract/rule-set.ts';
import { type ObjectStore, ObjectUnavailableError } from '../storage/object-store.ts';
import {
  digestOfFiles,
  type RuleFault,
  type RuleFiles,
  RuleSetError,
  ruleFilesIn,
  sha256Of,
  tooLarge,
} from './rule-set.ts';

/** A rule set as it lies somewhere now. */
export interface FoundRules {
  /** Of its files. */
  readonly digest: string;
  /** Reads the files. @throws {RuleSetError} where they are not those of the digest */
  files(signal: AbortSignal): Promise<RuleFiles>;
}

/** Files and manifest are of two pushes: the later one is under way, or was broken off. */
export class UnfinishedPushError extends RuleSetError {}

/** Files that are fetched at the same time. */
const FETCHES = 16;

/** A location as people write it. */
export function locationText(location: RulesLocation): string {
  return 'folder' in location ? location.folder : `s3://${location.bucket}/${location.prefix}`;
}

/**
 * Looks for the rule set at a location. Of a prefix only the manifest is read, which its pusher writes last; a file that is
 * not the manifest's, as while another push is under way, is found out by its digest.
 *
 * @throws {RuleSetError} where there is none, or no manifest that can be read
 * @throws {StoreError} where the store refuses or does not answer: technical
 */
export async function findRules(
  location: RulesLocation,
  store: Pick<ObjectStore, 'open'>,
  signal: AbortSignal,
): Promise<FoundRules> {
  const name = locationText(location);
  if ('folder' in location) {
    const files = await ruleFilesIn(location.folder);
    const digests = new Map([...files].map(([path, text]) => [path, sha256Of(text)]));
    return { digest: digestOfFiles(digests), files: async () => files };
  }
  const { bucket, prefix } = location;
  const read = (path: string) => readText(store, bucket, `${prefix}${path}`, signal);
  const text = await read(RULES_MANIFEST);
  const manifest = text === undefined ? undefined : readRulesManifest(text);
  if (manifest === undefined) {
    const message =
      text === undefined
        ? 'is not there: manage rules-push writes it last'
        : 'is not a manifest of a rule set: manage rules-push writes one';
    throw new RuleSetError(name, [{ file: RULES_MANIFEST, path: '', message }]);
  }
  const digests = new Map(Object.entries(manifest.files));
  return {
    digest: digestOfFiles(digests),
    async files() {
      const files = new Map<string, string>();
      const faults: RuleFault[] = [];
      const left = [...digests].filter(([path]) => isRuleFile(path));
      const fetchSome = async () => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) {
          const [path, digest] = next;
          const content = await read(path);
          if (content !== undefined && sha256Of(content) === digest) files.set(path, content);
          else {
            const message =
              'is not the file of the manifest: a push is under way, or was broken off';
            faults.push({ file: path, path: '', message });
          }
        }
      };
      await Promise.all(Array.from({ length: FETCHES }, fetchSome));
      if (faults.length > 0) throw new UnfinishedPushError(name, faults);
      return files;
    },
  };
}

/** A file that is put anew that often while it is read counts as absent, until the next look. */
const READS_OF_A_FILE = 3;

/** Undefined for an object that is not there. */
async function readText(
  store: Pick<ObjectStore, 'open'>,
  bucket: string,
  key: string,
  signal: AbortSignal,
  triesLeft = READS_OF_A_FILE,
): Promise<string | undefined> {
  const end = new AbortController();
  try {
    const opened = await store.open({ bucket, key }, AbortSignal.any([signal, end.signal]));
    // The manifest of the largest rule set has 3 MiB.
    if (opened.sizeBytes > 4 * MAX_RULE_FILE_BYTES) {
      throw new RuleSetError(`s3://${bucket}`, [tooLarge(key, opened.sizeBytes)]);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of opened.bytes) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    if (!(error instanceof ObjectUnavailableError)) throw error;
    // It was put anew while it was read.
    if (error.code === 'object-gone' || triesLeft === 1) return undefined;
    return await readText(store, bucket, key, signal, triesLeft - 1);
  } finally {
    end.abort();
  }
}
