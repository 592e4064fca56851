import { RULES_MANIFEST } from '@file-processing/contract/rule-set.ts';
import { expect, test } from 'vitest';
import { findRules } from '../../../../listener/src/rules/location.ts';
import {
  type ObjectStore,
  ObjectUnavailableError,
  type UnavailableCode,
} from '../../../../listener/src/storage/object-store.ts';
import { storeOf } from '../../support/stores.ts';

const LOCATION = { bucket: 'rules-bucket', prefix: 'rules/' };

/** A store whose manifest can't be read for so many times. */
function unreadable(code: UnavailableCode, times: number): Pick<ObjectStore, 'open'> {
  let left = times;
  return {
    open: (object, signal) => {
      if (left === 0)
        return storeOf(JSON.stringify({ version: 1, files: {} })).open(object, signal);
      left -= 1;
      return Promise.reject(new ObjectUnavailableError(code, `${object.key} is another one`));
    },
  };
}

const find = (store: Pick<ObjectStore, 'open'>) =>
  findRules(LOCATION, store, AbortSignal.timeout(60_000));

test('a manifest that is put anew while it is read is read again', async () => {
  expect(await find(unreadable('object-replaced', 2))).toHaveProperty('digest');
});

test.each([
  ['is not there', 'object-gone', 1],
  ['is put anew again and again', 'object-replaced', 3],
] as const)('a manifest that %s is named', async (_, code, times) => {
  await expect(find(unreadable(code, times))).rejects.toThrow(
    `${RULES_MANIFEST}: is not there: manage rules-push writes it last`,
  );
});
