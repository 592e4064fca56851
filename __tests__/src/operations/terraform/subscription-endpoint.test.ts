import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type Ask,
  askEndpoint,
  waitForEndpoint,
} from '../../../../src/operations/terraform/subscription-endpoint.ts';

const URL = 'https://files.example.gov/';

/** A clock in which only waiting takes time. */
function clock() {
  let now = 0;
  return {
    now: () => new Date(now),
    sleep: async (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

/** Answers one after the other: a status, or an error; the last one for ever. */
function answers(...all: readonly (number | Error)[]): { readonly ask: Ask; asked: number } {
  const self = {
    asked: 0,
    ask: async () => {
      const answer = all[Math.min(self.asked, all.length - 1)] ?? 200;
      self.asked += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return self;
}

function wait(seconds: number, ask: Ask) {
  const written: string[] = [];
  const stderr = { write: (text: string) => written.push(text) };
  return waitForEndpoint({ clock: clock(), stderr }, URL, seconds, ask).then(() => written);
}

describe('waiting for the endpoint', () => {
  test.each([200, 404, 405, 301])('ends at once with status %i', async (status) => {
    const endpoint = answers(status);
    expect(await wait(60, endpoint.ask)).toEqual([]);
    expect(endpoint.asked).toBe(1);
  });

  test('goes on through errors and statuses of a load balancer without pods', async () => {
    const refused = new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    const endpoint = answers(refused, 503, 502, 405);
    expect(await wait(60, endpoint.ask)).toEqual([
      `Waiting for ${URL} to answer: connect ECONNREFUSED\n`,
    ]);
    expect(endpoint.asked).toBe(4);
  });

  test('ends after the time with the last reason and what to do', async () => {
    const endpoint = answers(new Error('one'), 503);
    await expect(wait(30, endpoint.ask)).rejects.toMatchObject({
      message: `${URL} did not answer within 30 s: status 503`,
      next: expect.stringContaining('load_balancer_hostname'),
      code: 69,
    });
    expect(endpoint.asked).toBe(4);
  });

  test('asks once without time', async () => {
    const endpoint = answers(500);
    await expect(wait(0, endpoint.ask)).rejects.toThrow('status 500');
    expect(endpoint.asked).toBe(1);
  });
});

test('asking follows no redirect', async () => {
  const server = createServer((_, response) => {
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  expect(await askEndpoint(`http://127.0.0.1:${port}/`)).toBe(302);
});
