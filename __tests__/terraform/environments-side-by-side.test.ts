import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { openStacks, type Stacks } from './support/stacks.ts';

const FIRST = 'first';
const SECOND = 'second';
const SECOND_OUTPUT = 'cdktf.out.second';

let emulator: AttachedAws;
let checkout: Checkout;
let first: Stacks;
let second: Stacks;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  checkout = temporaryCheckout();
  const values = { flow_logs: false, nat_gateways: 'single' };
  checkout.addEnvironment('etl-playground', { foundationNetwork: values }, FIRST);
  checkout.addEnvironment(
    'etl-playground',
    { foundationNetwork: { ...values, name_prefix: 'other' } },
    SECOND,
  );
  first = await openStacks(checkout, FIRST, emulator);
  second = await openStacks(checkout, SECOND, emulator, SECOND_OUTPUT);
  await first.network.apply();
  await second.network.apply();
});

afterAll(async () => {
  await first?.close();
  await second?.close();
  await emulator?.stop();
  await checkout?.close();
});

test('each has a network of its own', async () => {
  const [one, other] = await Promise.all([first.network.outputs(), second.network.outputs()]);
  expect(one.vpc_id).toEqual(expect.stringMatching(/^vpc-/));
  expect(other.vpc_id).toEqual(expect.stringMatching(/^vpc-/));
  expect(one.vpc_id).not.toBe(other.vpc_id);
});

test('neither has anything left to do beside the other', async () => {
  expect((await first.network.plan()).changes).toEqual([]);
  expect((await second.network.plan()).changes).toEqual([]);
});

test("each one's resources are in a state file of its own", async () => {
  const one = await checkout.localState(FIRST, 'foundation-network');
  const other = await checkout.localState(SECOND, 'foundation-network');
  expect(one).toContain('etl-platform-vpc');
  expect(one).not.toContain('other-vpc');
  expect(other).toContain('other-vpc');
  expect(other).not.toContain('etl-platform-vpc');
});

describe('the second synthesized into the output folder of the first', () => {
  beforeAll(async () => {
    await checkout.synthesize(SECOND);
  });

  test('is refused by init instead of being given the state of the first', async () => {
    await expect(first.network.init()).rejects.toThrow('Backend configuration changed');
  });

  test('is refused by plan and apply too', async () => {
    await expect(first.network.plan()).rejects.toThrow('Backend initialization required');
    await expect(first.network.apply()).rejects.toThrow('Backend initialization required');
  });

  test('changes neither state', async () => {
    const one = await checkout.localState(FIRST, 'foundation-network');
    const other = await checkout.localState(SECOND, 'foundation-network');
    expect(one).toContain('etl-platform-vpc');
    expect(one).not.toContain('other-vpc');
    expect(other).not.toContain('etl-platform-vpc');
  });

  test('is left behind by another synthesis of the first', async () => {
    await checkout.synthesize(FIRST);
    expect((await first.network.plan()).changes).toEqual([]);
  });
});

test('the destruction of one leaves the other as it is', async () => {
  await second.network.destroy();
  expect(await second.network.stateList()).toEqual([]);
  expect((await first.network.plan()).changes).toEqual([]);
});
