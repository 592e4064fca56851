import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  PART_BYTES,
  PARTS_FROM_BYTES,
  PARTS_IN_HAND,
  type PartedObject,
  readInParts,
  Slots,
} from '../../../../listener/src/storage/read-in-parts.ts';

const never = new AbortController().signal;

/** Of 4-byte numbers that count up, so that no two places look the same. */
function bytesOf(size: number): Buffer {
  const numbers = new Uint32Array(Math.ceil(size / 4));
  for (let index = 0; index < numbers.length; index += 1) numbers[index] = index;
  return Buffer.from(numbers.buffer).subarray(0, size);
}

interface Fake extends PartedObject {
  readonly ranges: string[];
}

/** @param cutAt places at which a connection ends, each once */
function objectOf(content: Buffer, cutAt: number[] = []): Fake {
  const ranges: string[] = [];
  async function* send(start: number, end: number): AsyncGenerator<Uint8Array> {
    const CHUNK = 1024 * 1024;
    for (let at = start; at < end; at += CHUNK) {
      const stop = Math.min(at + CHUNK, end);
      const cut = cutAt.findIndex((place) => place >= at && place < stop);
      if (cut >= 0) {
        const [place = 0] = cutAt.splice(cut, 1);
        yield content.subarray(at, place);
        throw new Error('socket hang up');
      }
      yield content.subarray(at, stop);
    }
  }
  return {
    sizeBytes: content.length,
    opened: send(0, content.length),
    async request(start, end) {
      ranges.push(`${start}-${end}`);
      return send(start, end);
    },
    ranges,
  };
}

async function hashOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}

const hash = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const slots = () => new Slots(PARTS_IN_HAND);

test.each([0, 1, PARTS_FROM_BYTES - 1])(
  'an object of %i bytes is read as it was opened, without another request',
  async (size) => {
    const content = bytesOf(size);
    const object = objectOf(content);
    expect(await hashOf(readInParts(object, slots(), never))).toBe(hash(content));
    expect(object.ranges).toEqual([]);
  },
);

test.each([PARTS_FROM_BYTES, 3 * PART_BYTES + 1, 11 * PART_BYTES])(
  'an object of %i bytes is read by parts, in order',
  async (size) => {
    const content = bytesOf(size);
    const object = objectOf(content);
    expect(await hashOf(readInParts(object, slots(), never))).toBe(hash(content));
    const starts = Array.from(
      { length: Math.ceil(size / PART_BYTES) - 1 },
      (_, index) => index + 1,
    );
    expect(object.ranges).toEqual(
      starts.map((part) => `${part * PART_BYTES}-${Math.min(size, (part + 1) * PART_BYTES)}`),
    );
  },
);

test('of a connection that would bring the whole large object no more is read than the first part', async () => {
  const content = bytesOf(PARTS_FROM_BYTES);
  let given = 0;
  async function* opened() {
    for (; given < content.length; given += PART_BYTES / 2) {
      yield content.subarray(given, given + PART_BYTES / 2);
    }
  }
  const object = { ...objectOf(content), opened: opened() };
  expect(await hashOf(readInParts(object, slots(), never))).toBe(hash(content));
  // The last piece is out and was not asked to go on.
  expect(given).toBe(PART_BYTES / 2);
});

test('a connection that brought a whole small object is read to its end, so that it is used again', async () => {
  const content = bytesOf(100);
  let ended = false;
  async function* opened() {
    yield content;
    ended = true;
  }
  const object = { ...objectOf(content), opened: opened() };
  expect(await hashOf(readInParts(object, slots(), never))).toBe(hash(content));
  expect(ended).toBe(true);
});

test('what a broken connection has brought is not asked for again', async () => {
  const content = bytesOf(100_000);
  const object = objectOf(content, [40_000]);
  expect(await hashOf(readInParts(object, slots(), never))).toBe(hash(content));
  expect(object.ranges).toEqual(['40000-100000']);
});

test('each part of a large object goes on where its connection broke', async () => {
  const content = bytesOf(3 * PART_BYTES);
  const object = objectOf(content, [5, PART_BYTES + 5, 2 * PART_BYTES, 3 * PART_BYTES - 1]);
  expect(await hashOf(readInParts(object, slots(), never))).toBe(hash(content));
  expect(object.ranges.toSorted()).toEqual(
    [
      `5-${PART_BYTES}`,
      `${PART_BYTES}-${2 * PART_BYTES}`,
      `${PART_BYTES + 5}-${2 * PART_BYTES}`,
      `${2 * PART_BYTES}-${3 * PART_BYTES}`,
      `${2 * PART_BYTES}-${3 * PART_BYTES}`,
      `${3 * PART_BYTES - 1}-${3 * PART_BYTES}`,
    ].toSorted(),
  );
});

test('a part whose connections break four times is an error that says how far it came', async () => {
  const object = objectOf(bytesOf(100), [10, 20, 30, 40, 50]);
  await expect(hashOf(readInParts(object, slots(), never))).rejects.toThrow(
    'the connection broke 4 times, the last time after 40 of 100 bytes: socket hang up',
  );
});

test('an answer that ends early without an error is a broken connection', async () => {
  const content = bytesOf(10);
  async function* short() {
    yield content.subarray(0, 4);
  }
  const object = { ...objectOf(content), opened: short(), request: async () => short() };
  await expect(hashOf(readInParts({ ...object, sizeBytes: 100 }, slots(), never))).rejects.toThrow(
    'the connection broke 4 times, the last time after 16 of 100 bytes: it ended',
  );
});

test('what refuses a range ends the reading at its place in the order', async () => {
  const content = bytesOf(4 * PART_BYTES);
  const object = objectOf(content);
  const refusing = {
    ...object,
    async request(start: number, end: number) {
      if (start === 2 * PART_BYTES) throw new Error('replaced');
      return object.request(start, end, never);
    },
  };
  let bytes = 0;
  const reading = async () => {
    for await (const chunk of readInParts(refusing, slots(), never)) bytes += chunk.length;
  };
  await expect(reading()).rejects.toThrow('replaced');
  expect(bytes).toBe(2 * PART_BYTES);
});

test('no more parts are in hand than there are slots, of all objects together', async () => {
  const content = bytesOf(10 * PART_BYTES);
  const shared = slots();
  let inHand = 0;
  let most = 0;
  const counted = (object: Fake): PartedObject => ({
    ...object,
    async request(start, end, signal) {
      inHand += 1;
      most = Math.max(most, inHand);
      return object.request(start, end, signal);
    },
  });
  const read = async () => {
    let at = 0;
    for await (const chunk of readInParts(counted(objectOf(content)), shared, never)) {
      at += chunk.length;
      // Its last byte is out: a part is no longer in hand.
      if (at % PART_BYTES === 0 && at > PART_BYTES) inHand -= 1;
    }
  };
  await Promise.all([read(), read(), read()]);
  expect(most).toBe(PARTS_IN_HAND);
});

test('a reader that stops gives its slots back, and asks for nothing more', async () => {
  const content = bytesOf(10 * PART_BYTES);
  const shared = new Slots(2);
  const object = objectOf(content);
  const signals: AbortSignal[] = [];
  const watched: PartedObject = {
    ...object,
    async request(start, end, signal) {
      signals.push(signal);
      return object.request(start, end, signal);
    },
  };
  for await (const _ of readInParts(watched, shared, never)) break;
  expect(object.ranges.length).toBeLessThanOrEqual(2);
  expect(signals.filter(({ aborted }) => !aborted)).toEqual([]);
  const other = objectOf(content);
  expect(await hashOf(readInParts(other, shared, never))).toBe(hash(content));
});

test('an aborted signal ends the reading with its reason, also while it waits for a slot', async () => {
  const shared = new Slots(1);
  const release = await shared.take(never);
  const controller = new AbortController();
  const object = objectOf(bytesOf(2 * PART_BYTES));
  const reading = hashOf(readInParts(object, shared, controller.signal));
  reading.catch(() => undefined);
  controller.abort(new Error('shutdown'));
  await expect(reading).rejects.toThrow('shutdown');
  release();
  expect(object.ranges).toEqual([]);
  await shared.take(never);
});

test('a slot goes to whoever has waited longest, and one that is given back twice counts once', async () => {
  const shared = new Slots(1);
  const order: string[] = [];
  const release = await shared.take(never);
  const wait = async (name: string) => {
    const next = await shared.take(never);
    order.push(name);
    return next;
  };
  const first = wait('first');
  const second = wait('second');
  release();
  release();
  const next = await first;
  expect(order).toEqual(['first']);
  next();
  await second;
  expect(order).toEqual(['first', 'second']);
});
