import { describe, expect, it } from 'vitest';
import {
  answerQuery,
  createActions,
  type QueryAction,
  QueryApiError,
  requireParameter,
  type TopicService,
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

const subscription = { arn: 'arn:sub', isConfirmed: false, authenticateOnUnsubscribe: true };

function actionsWith(changes: Partial<TopicService> = {}) {
  const calls: unknown[][] = [];
  const service: TopicService = {
    createTopicNamed: (name) => `arn:${name}`,
    subscribe: () => subscription,
    confirm(...about) {
      calls.push(about);
      return 'arn:sub';
    },
    subscription: () => subscription,
    async unsubscribe(arn) {
      calls.push([arn]);
    },
    publish(...about) {
      calls.push(about);
      return 'id-1';
    },
    ...changes,
  };
  const actions = createActions(service);
  const call = (query: string, isAuthenticated = false) => {
    const parameters = new URLSearchParams(query);
    return actions[parameters.get('Action') ?? '']?.(parameters, isAuthenticated);
  };
  return { call, calls };
}

describe('createActions', () => {
  it('creates a topic by name', async () => {
    expect(await actionsWith().call('Action=CreateTopic&Name=t')).toStrictEqual({
      TopicArn: 'arn:t',
    });
  });

  it.each([
    ['', 'pending confirmation'],
    ['&ReturnSubscriptionArn=true', 'arn:sub'],
  ])('shows a pending subscription with %j as %s', async (extra, shown) => {
    const { call } = actionsWith();

    expect(await call(`Action=Subscribe&TopicArn=t&Endpoint=e${extra}`)).toStrictEqual({
      SubscriptionArn: shown,
    });
  });

  it('shows a confirmed subscription', async () => {
    const { call } = actionsWith({ subscribe: () => ({ ...subscription, isConfirmed: true }) });

    expect(await call('Action=Subscribe&TopicArn=t&Endpoint=e')).toStrictEqual({
      SubscriptionArn: 'arn:sub',
    });
  });

  it.each([
    ['', false, ['t', 'k', false]],
    ['&AuthenticateOnUnsubscribe=true', true, ['t', 'k', true]],
  ])('confirms with %j', async (extra, isAuthenticated, call) => {
    const actions = actionsWith();
    await actions.call(`Action=ConfirmSubscription&TopicArn=t&Token=k${extra}`, isAuthenticated);

    expect(actions.calls).toEqual([call]);
  });

  it.each([
    'Action=ConfirmSubscription&TopicArn=t&Token=k&AuthenticateOnUnsubscribe=true',
    'Action=Unsubscribe&SubscriptionArn=arn:sub',
  ])('refuses %s where it is not signed', async (query) => {
    const { call, calls } = actionsWith();

    await expect(call(query)).rejects.toMatchObject({ code: 'AuthorizationError', status: 403 });
    expect(calls).toEqual([]);
  });

  it('ends a subscription without a signature where none was asked for', async () => {
    const open = { ...subscription, authenticateOnUnsubscribe: false };
    const { call, calls } = actionsWith({ subscription: () => open });
    await call('Action=Unsubscribe&SubscriptionArn=arn:sub');

    expect(calls).toEqual([['arn:sub']]);
  });

  it('publishes message and subject', async () => {
    const { call, calls } = actionsWith();

    expect(await call('Action=Publish&TopicArn=t&Message=m&Subject=s')).toStrictEqual({
      MessageId: 'id-1',
    });
    expect(calls).toStrictEqual([['t', { message: 'm', subject: 's' }]]);
  });
});
