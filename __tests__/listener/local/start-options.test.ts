import { expect, test } from 'vitest';
import {
  StartOptionError,
  startOptions,
  startOverrides,
} from '../../../listener/local/start-options.ts';

test('without options the usual folders are taken and the stack is synthesized', () => {
  // Node's parser gives an object without a prototype.
  expect({ ...startOptions([]) }).toStrictEqual({
    once: false,
    help: false,
    mail: false,
    data: 'data',
    state: '.local',
  });
});

test('each option is taken', () => {
  const given = [
    '--once',
    '--data=d',
    '--state',
    's',
    '--stack',
    'f',
    '--rules=r',
    '--mail',
    '--help',
  ];
  expect({ ...startOptions(given) }).toStrictEqual({
    once: true,
    help: true,
    mail: true,
    data: 'd',
    state: 's',
    stack: 'f',
    rules: 'r',
  });
});

test('-h is --help', () => {
  expect(startOptions(['-h']).help).toBe(true);
});

test.each([
  [['--onse'], "Unknown option '--onse'"],
  [['-x'], "Unknown option '-x'"],
  [['file.csv'], "Unexpected argument 'file.csv'"],
  [['--data'], "Option '--data <value>' argument missing"],
  [['--data', '--once'], "Option '--data' argument is ambiguous"],
  [['--once=yes'], "Option '--once' does not take an argument"],
  [['--data='], "Option '--data' is empty"],
  [['--state', ''], "Option '--state' is empty"],
])('%j is refused in one line', (parameters, reason) => {
  const refusal = new StartOptionError(`${reason}; npm start -- --help lists the options`);
  expect(() => startOptions(parameters)).toThrow(refusal);
});

test.each([
  ['PORT', '8090'],
  ['METRICS_PORT', '0'],
  ['ROUTING_TARGETS', '[{"bucket":"drop-box","prefix":"checked/"}]'],
  ['NOTICE_EMAIL', 'smtp'],
  ['NOTICE_SMTP_PASSWORD_FILE', '/run/secrets/smtp'],
])('%s of the environment is for the listener here', (name, value) => {
  expect(startOverrides({ [name]: value })).toStrictEqual({ [name]: value });
});

test.each(['DATABASE_URL', 'DB_HOST', 'LOCAL_S3_ROOT', 'SNS_TOPIC_ARNS', 'ROUTING_TAGS', 'PATH'])(
  '%s of the environment is not',
  (name) => {
    expect(startOverrides({ [name]: 'x' })).toStrictEqual({});
  },
);

test('an empty variable takes nothing from the stack', () => {
  expect(startOverrides({ ROUTING_TARGETS: '', PORT: undefined })).toStrictEqual({});
});
