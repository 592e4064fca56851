import type { TopicArn } from '@file-processing/contract/arn.ts';
import {
  LISTENER_VARIABLES,
  type VariableName,
} from '@file-processing/contract/listener-variables.ts';
import type { NoticeState } from '@file-processing/contract/notices.ts';
import { Secret } from './database-config.ts';
import type { VariableReader } from './read-variables.ts';

/** An SMTP server that takes mail from us. */
export interface SmtpConfig {
  readonly host: string;
  readonly port: number;
  /** Undefined where nobody signs in. */
  readonly user: string | undefined;
  readonly password: Secret | undefined;
}

/** How notices go out as e-mail. */
export interface MailConfig {
  readonly from: string;
  /** Undefined where they go through Amazon SES. */
  readonly smtp: SmtpConfig | undefined;
}

/** Where notices are posted to. */
export interface WebhookConfig {
  readonly urls: readonly string[];
  /** As `readWebhookSecrets` takes them. */
  readonly secrets: Secret;
  /** Hosts of the addresses that may be in a private network. */
  readonly privateHosts: readonly string[];
}

/** Who hears of changes, and how. All ways are off by default. */
export interface NoticeConfig {
  /** Whether there is a way out at all; without one nothing is recorded to be told. */
  readonly isOn: boolean;
  /** What people are told of. */
  readonly states: readonly NoticeState[];
  /** E-mail addresses that are told of everything. */
  readonly operators: readonly string[];
  readonly mail: MailConfig | undefined;
  readonly webhook: WebhookConfig | undefined;
  /** Gets every change; undefined where none is told. */
  readonly topic: TopicArn | undefined;
}

/**
 * The settings of notices; where faults were recorded, they are of no use.
 *
 * @param taken topics whose messages are accepted
 */
export function readNoticeConfig(reader: VariableReader, taken: readonly TopicArn[]): NoticeConfig {
  const mail = readMail(reader);
  const webhook = readWebhook(reader);
  const topic = readTopic(reader, taken);
  return Object.freeze({
    isOn: mail !== undefined || webhook !== undefined || topic !== undefined,
    states: reader.required('NOTICE_STATES') ?? [],
    operators: reader.optional('NOTICE_OPERATORS') ?? [],
    mail,
    webhook,
    topic,
  });
}

const SMTP_VARIABLES = ['NOTICE_SMTP_HOST', 'NOTICE_SMTP_USER', 'NOTICE_SMTP_PASSWORD'] as const;
const MAIL_VARIABLES = ['NOTICE_EMAIL_FROM', 'NOTICE_OPERATORS', ...SMTP_VARIABLES] as const;

/** What is set for nothing is told: whoever set it expects mail. */
function readMail(reader: VariableReader): MailConfig | undefined {
  const way = reader.optional('NOTICE_EMAIL');
  const from = reader.optional('NOTICE_EMAIL_FROM');
  const host = reader.optional('NOTICE_SMTP_HOST');
  const port = reader.optional('NOTICE_SMTP_PORT');
  const user = reader.optional('NOTICE_SMTP_USER');
  const password = reader.optional('NOTICE_SMTP_PASSWORD');
  if (way === undefined) {
    for (const variable of MAIL_VARIABLES.filter((name) => reader.isSet(name))) {
      reader.fault({
        variable,
        problem: 'NOTICE_EMAIL is not set',
        allowed: 'only with a NOTICE_EMAIL',
      });
    }
    return undefined;
  }
  const needed = way === 'ses' ? 'AWS_REGION' : 'NOTICE_SMTP_HOST';
  requireAll(reader, 'NOTICE_EMAIL', ['NOTICE_EMAIL_FROM', needed]);
  for (const variable of way === 'ses' ? SMTP_VARIABLES.filter((name) => reader.isSet(name)) : []) {
    reader.fault({
      variable,
      problem: 'NOTICE_EMAIL is ses',
      allowed: 'only with NOTICE_EMAIL=smtp',
    });
  }
  if ((user === undefined) !== (password === undefined)) {
    reader.fault({
      variable: 'NOTICE_SMTP_USER',
      problem: `${user === undefined ? 'NOTICE_SMTP_USER' : 'NOTICE_SMTP_PASSWORD'} is not set`,
      allowed: 'NOTICE_SMTP_USER with NOTICE_SMTP_PASSWORD, or neither',
    });
  }
  if (from === undefined) return undefined;
  if (way === 'ses') return Object.freeze({ from, smtp: undefined });
  if (host === undefined || port === undefined) return undefined;
  const secret = password === undefined ? undefined : new Secret(password);
  return Object.freeze({
    from,
    smtp: Object.freeze({ host, port, user, password: secret }),
  });
}

function readWebhook(reader: VariableReader): WebhookConfig | undefined {
  const urls = reader.optional('NOTICE_WEBHOOK_URLS');
  const secrets = reader.optional('NOTICE_WEBHOOK_SECRETS');
  const privateHosts = reader.optional('NOTICE_WEBHOOK_PRIVATE_HOSTS') ?? [];
  if (urls === undefined) {
    if (reader.isSet('NOTICE_WEBHOOK_URLS')) return undefined;
    for (const variable of ['NOTICE_WEBHOOK_SECRETS', 'NOTICE_WEBHOOK_PRIVATE_HOSTS'] as const) {
      if (!reader.isSet(variable)) continue;
      reader.fault({
        variable,
        problem: 'NOTICE_WEBHOOK_URLS is not set',
        allowed: 'only with NOTICE_WEBHOOK_URLS',
      });
    }
    return undefined;
  }
  requireAll(reader, 'NOTICE_WEBHOOK_URLS', ['NOTICE_WEBHOOK_SECRETS']);
  const hosts = urls.map((url) => new URL(url).hostname);
  const unknown = privateHosts.filter((host) => !hosts.includes(host));
  if (unknown.length > 0) {
    reader.fault({
      variable: 'NOTICE_WEBHOOK_PRIVATE_HOSTS',
      value: unknown.join(','),
      problem: 'no address of NOTICE_WEBHOOK_URLS has this host',
      allowed: `hosts of NOTICE_WEBHOOK_URLS: ${hosts.join(', ')}`,
    });
  }
  if (secrets === undefined) return undefined;
  return Object.freeze({ urls, secrets: new Secret(secrets.join(' ')), privateHosts });
}

/** What is told of a topic's own messages would come back as messages. */
function readTopic(reader: VariableReader, taken: readonly TopicArn[]): TopicArn | undefined {
  const topic = reader.optional('NOTICE_TOPIC_ARN');
  if (topic !== undefined && taken.some(({ arn }) => arn === topic.arn)) {
    reader.fault({
      variable: 'NOTICE_TOPIC_ARN',
      value: topic.arn,
      problem: 'SNS_TOPIC_ARNS names it too',
      allowed: 'another topic than those that deliver messages',
    });
  }
  return topic;
}

function requireAll(
  reader: VariableReader,
  because: VariableName,
  variables: readonly VariableName[],
): void {
  for (const variable of variables.filter((name) => !reader.isSet(name))) {
    reader.fault({
      variable,
      problem: `is not set, and ${because} needs it`,
      allowed: LISTENER_VARIABLES[variable].kind.allowed,
    });
  }
}
