import { describe, expect, it } from 'vitest';
import {
  answerQuery,
  type QueryAction,
  QueryApiError,
  requireParameter,
} from '../../../../listener/local/sns/query-api.ts';

const actions: Record<string, QueryAction> = {
  async Echo(parameters) {
    return { Text: requireParameter(parameters, 'Text') };
  },
  async Refuse() {
    throw new QueryApiError('NotFound', 'no <topic>', 404);
  },
};

function ask(query: string) {
  return answerQuery(actions, new URLSearchParams(query), false);
}

describe('answerQuery', () => {
  it('answers with the result in XML', async () => {
    const { status, body } = await ask('Action=Echo&Text=a%26b%3Cc%3E');

    expect(status).toBe(200);
    expect(body).toContain('<EchoResult><Text>a&amp;b&lt;c&gt;</Text></EchoResult>');
  });

  it('answers an error with code and message', async () => {
    const { status, body } = await ask('Action=Refuse');

    expect(status).toBe(404);
    expect(body).toContain('<Code>NotFound</Code><Message>no &lt;topic&gt;</Message>');
  });

  it.each(['Action=Delete', 'Action=toString', ''])('knows no %j', async (query) => {
    expect(await ask(query)).toMatchObject({
      status: 400,
      body: expect.stringContaining('<Code>InvalidAction</Code>'),
    });
  });

  it.each(['Action=Echo', 'Action=Echo&Text='])('misses a parameter in %s', async (query) => {
    expect(await ask(query)).toMatchObject({
      status: 400,
      body: expect.stringContaining('Text is missing'),
    });
  });
});
