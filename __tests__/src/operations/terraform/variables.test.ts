import { describe, expect, test } from 'vitest';
import {
  addVariable,
  checkVariables,
  missingSecrets,
} from '../../../../src/operations/terraform/variables.ts';

const STACK = {
  variable: { image: {}, aws_profile: {}, db_password: { sensitive: true } },
  resource: {
    kubernetes_secret_v1: { database: { data_wo: { DB_PASSWORD: '${var.db_password}' } } },
  },
};

describe('--var', () => {
  test('takes everything after the first equals sign as the value', () => {
    expect(addVariable('image=a=b', { aws_profile: '' })).toStrictEqual({
      aws_profile: '',
      image: 'a=b',
    });
  });

  test('may be empty', () => {
    expect(addVariable('image=')).toStrictEqual({ image: '' });
  });

  test.each(['image', '=value', '1a=b', ''])('%j is not one', (text) => {
    expect(() => addVariable(text)).toThrow('--var must be name=value');
  });

  test('that is not one is refused without being repeated: it may be a secret', () => {
    expect(() => addVariable('hunter2')).toThrow(/^(?!.*hunter2)/s);
  });

  test('of a known variable is fine', () => {
    expect(() => checkVariables({ image: 'x' }, STACK)).not.toThrow();
  });

  test('of a secret is refused, without its value', () => {
    const check = () => checkVariables({ db_password: 'hunter2' }, STACK);
    expect(check).toThrow('give it as TF_VAR_db_password');
    expect(check).not.toThrow('hunter2');
  });

  test('of a secret is refused even where the stack has no such variable', () => {
    expect(() => checkVariables({ db_password: 'x' }, {})).toThrow('TF_VAR_db_password');
  });

  test('names every fault at once', () => {
    expect(() => checkVariables({ nodes: '1', db_password: 'x' }, STACK)).toThrow(
      /nodes.*\n.*db_password/,
    );
  });

  test('of an unknown variable says which there are', () => {
    expect.assertions(1);
    try {
      checkVariables({ nodes: '1' }, STACK);
    } catch (error) {
      expect(error).toMatchObject({
        code: 64,
        next: expect.stringContaining('image, aws_profile'),
      });
    }
  });
});

describe('a missing secret', () => {
  test.each([
    ['is missed', STACK, {}, ['db_password']],
    ['is missed when it is empty', STACK, { TF_VAR_db_password: '' }, ['db_password']],
    ['is not missed when it is given', STACK, { TF_VAR_db_password: 'x' }, []],
    ['is not missed where the stack makes no Secret', { resource: {} }, {}, []],
  ])('%s', (_, json, env, expected) => {
    expect(missingSecrets(json, env)).toEqual(expected);
  });

  test('may be one of several of a Secret', () => {
    const data_wo = { CONSOLE_TOKENS: '${var.console_tokens}', B: '${var.console_secret}' };
    const json = { resource: { kubernetes_secret_v1: { console: { data_wo } } } };
    expect(missingSecrets(json, { TF_VAR_console_secret: 'x' })).toEqual(['console_tokens']);
  });
});
