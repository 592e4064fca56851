import type { Verdict } from '@file-processing/quality/verdict.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type {
  EarlierRouting,
  RoutingAct,
  StandingVerdict,
} from '../../../../listener/src/database/routing.ts';
import { decideRouting, withdrawRouting } from '../../../../listener/src/jobs/routing-decision.ts';

const ALLOWED = { tags: true, targets: [{ bucket: 'checked', prefix: 'nm/' }] };
const COPY = { copy: { bucket: 'checked', prefix: 'nm/' } };
const RUN = '0b2f6c0e-2f0c-4c55-9f5e-6f1f4f0a8b11';
const FIRST: StandingVerdict = {
  runId: RUN,
  number: 1,
  verdict: 'passed',
  object: { bucket: 'drop-box', key: 'from_client/nm/a.csv', versionId: 'v1', eTag: 'e1' },
  onVerdict: COPY,
  isForgotten: false,
  earlier: [],
};

const decide = (standing: Partial<StandingVerdict>, allowed = ALLOWED) =>
  decideRouting({ ...FIRST, ...standing }, allowed);
const done = (acts: readonly RoutingAct[]): EarlierRouting => ({
  acts: acts.map((act) => ({ ...act, outcome: 'done' })),
  isDone: true,
});
const keysOf = (acts: readonly RoutingAct[]) =>
  acts.map((act) => (act.act === 'tag' ? act.act : `${act.act} ${act.key}`));

test('nothing is done for a file whose rules ask for nothing', () => {
  expect(decide({ onVerdict: null })).toEqual([]);
});

test.each<Verdict>(['passed', 'warned', 'failed', 'unreadable'])(
  'a version is tagged with its verdict: %s',
  (verdict) => {
    expect(decide({ verdict, onVerdict: { tag: true } })).toEqual([{ act: 'tag', value: verdict }]);
  },
);

test.each<Verdict>(['passed', 'warned'])('a file that %s is copied to accepted', (verdict) => {
  expect(keysOf(decide({ verdict }))).toEqual(['copy nm/accepted/from_client/nm/v1.1/a.csv']);
});

test.each<Verdict>(['failed', 'unreadable'])(
  'a file that is %s is copied to rejected, with what was wrong beside it',
  (verdict) => {
    const key = 'nm/rejected/from_client/nm/v1.1/a.csv';
    expect(keysOf(decide({ verdict }))).toEqual([`copy ${key}`, `rejects ${key}.rejects.csv`]);
  },
);

test('without a bucket of its own the copy lies in that of the file', () => {
  const targets = [{ bucket: 'drop-box', prefix: 'checked/' }];
  const acts = decide({ onVerdict: { copy: { prefix: 'checked/' } } }, { tags: false, targets });
  expect(acts).toMatchObject([{ act: 'copy', bucket: 'drop-box' }]);
  expect(acts[0]?.outcome).toBeUndefined();
});

test('what the settings do not allow is refused, and says which one', () => {
  const asked = { onVerdict: { tag: true, ...COPY } };
  expect(decide(asked, { tags: false, targets: [] })).toMatchObject([
    { act: 'tag', outcome: 'refused', note: expect.stringContaining('ROUTING_TAGS') },
    { act: 'copy', outcome: 'refused', note: expect.stringContaining('ROUTING_TARGETS') },
  ]);
});

test('a place below an allowed one is allowed, and one that only begins like it is not', () => {
  const outcomeAt = (prefix: string) =>
    decide({ onVerdict: { copy: { bucket: 'checked', prefix } } })[0]?.outcome;
  expect(outcomeAt('nm/visits/')).toBeUndefined();
  expect(outcomeAt('nm-other/')).toBe('refused');
});

test('an object that no event has pinned is not routed, since another one may have its key by now', () => {
  const object = { ...FIRST.object, versionId: null, eTag: null };
  expect(decide({ object })).toMatchObject([{ act: 'copy', outcome: 'refused' }]);
});

test.each([null, 'null'])(
  'of a bucket that keeps no versions (%s), two deliveries with the same content have two copies',
  (versionId) => {
    const keys = [RUN, RUN.replace('0b', '0c')].map((runId) =>
      keysOf(decide({ runId, object: { ...FIRST.object, versionId } })),
    );
    expect(new Set(keys.flat()).size).toBe(2);
    expect(keys.flat().every((key) => key.includes('/e1.0'))).toBe(true);
  },
);

test('a judgement with the same verdict copies nothing a second time', () => {
  const first = done(decide({}));
  expect(decide({ number: 2, verdict: 'warned', earlier: [first] })).toEqual([]);
});

test('a correction copies to the right folder and supersedes the wrong copy', () => {
  const first = done(decide({}));
  expect(keysOf(decide({ number: 2, verdict: 'failed', earlier: [first] }))).toEqual([
    'supersede nm/accepted/from_client/nm/v1.1/a.csv',
    'copy nm/rejected/from_client/nm/v1.2/a.csv',
    'rejects nm/rejected/from_client/nm/v1.2/a.csv.rejects.csv',
  ]);
});

test('a correction back copies anew and leaves what is superseded already', () => {
  const first = done(decide({}));
  const second = done(decide({ number: 2, verdict: 'failed', earlier: [first] }));
  expect(keysOf(decide({ number: 3, earlier: [first, second] }))).toEqual([
    'supersede nm/rejected/from_client/nm/v1.2/a.csv',
    'supersede nm/rejected/from_client/nm/v1.2/a.csv.rejects.csv',
    'copy nm/accepted/from_client/nm/v1.3/a.csv',
  ]);
});

test('a second failure writes anew what is wrong, beside the copy that is there', () => {
  const first = done(decide({ verdict: 'failed' }));
  expect(keysOf(decide({ number: 2, verdict: 'failed', earlier: [first] }))).toEqual([
    'rejects nm/rejected/from_client/nm/v1.1/a.csv.rejects.csv',
  ]);
});

test('a copy that was begun and is not known to be there is superseded and made anew', () => {
  const begun = { acts: decide({}), isDone: false };
  expect(keysOf(decide({ number: 2, earlier: [begun] }))).toEqual([
    'supersede nm/accepted/from_client/nm/v1.1/a.csv',
    'copy nm/accepted/from_client/nm/v1.2/a.csv',
  ]);
});

test('rules that name another place supersede the copy that is there', () => {
  const first = done(decide({}));
  const onVerdict = { copy: { bucket: 'checked', prefix: 'nm/new/' } };
  expect(keysOf(decide({ number: 2, onVerdict, earlier: [first] }))).toEqual([
    'supersede nm/accepted/from_client/nm/v1.1/a.csv',
    'copy nm/new/accepted/from_client/nm/v1.2/a.csv',
  ]);
});

test('rules that ask for no copy any more leave a right one, and supersede a wrong one', () => {
  const earlier = [done(decide({}))];
  expect(decide({ number: 2, onVerdict: null, earlier })).toEqual([]);
  expect(keysOf(decide({ number: 2, onVerdict: null, verdict: 'failed', earlier }))).toEqual([
    'supersede nm/accepted/from_client/nm/v1.1/a.csv',
  ]);
});

test('a file whose values were forgotten is not copied any more', () => {
  expect(decide({ isForgotten: true })).toEqual([]);
});

test('what a verdict has begun that does not stand any more is superseded, done or not', () => {
  const begun = decide({ verdict: 'failed', onVerdict: { tag: true, ...COPY } });
  expect(withdrawRouting(begun).map(({ act, outcome }) => [act, outcome])).toEqual([
    ['tag', 'overtaken'],
    ['copy', 'overtaken'],
    ['rejects', 'overtaken'],
    ['supersede', undefined],
    ['supersede', undefined],
  ]);
});

test('a copy that was found to be gone before it was made is not superseded', () => {
  const [copy] = decide({});
  expect(withdrawRouting([{ ...copy, outcome: 'gone' } as RoutingAct])).toHaveLength(1);
});

test('whatever the key of an object, copies have keys that S3 takes, below their place, and no two the same', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 1024 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 9 }), (key, number) => {
      const object = { ...FIRST.object, key };
      const acts = decide({ object, number, verdict: 'failed' });
      const keys = acts.map((act) => (act.act === 'tag' ? '' : act.key));
      for (const one of keys) {
        expect(Buffer.byteLength(one)).toBeLessThanOrEqual(1024);
        expect(one.startsWith('nm/rejected/')).toBe(true);
      }
      const other = decide({ object: { ...object, versionId: 'v2' }, number, verdict: 'failed' });
      expect(new Set([...keys, ...keysOf(other)]).size).toBe(4);
    }),
    { numRuns: 30 },
  );
});
