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
  readonly smtp: SmtpConfig;
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
}

/** The settings of notices; where faults were recorded, they are of no use. */
export function readNoticeConfig(reader: VariableReader): NoticeConfig {
  const mail = readMail(reader);
  return Object.freeze({
    isOn: mail !== undefined,
    states: reader.required('NOTICE_STATES') ?? [],
    operators: reader.optional('NOTICE_OPERATORS') ?? [],
    mail,
  });
}

const MAIL_VARIABLES = [
  'NOTICE_EMAIL_FROM',
  'NOTICE_OPERATORS',
  'NOTICE_SMTP_HOST',
  'NOTICE_SMTP_USER',
  'NOTICE_SMTP_PASSWORD',
] as const;

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
  requireAll(reader, 'NOTICE_EMAIL', ['NOTICE_EMAIL_FROM', 'NOTICE_SMTP_HOST']);
  if ((user === undefined) !== (password === undefined)) {
    reader.fault({
      variable: 'NOTICE_SMTP_USER',
      problem: `${user === undefined ? 'NOTICE_SMTP_USER' : 'NOTICE_SMTP_PASSWORD'} is not set`,
      allowed: 'NOTICE_SMTP_USER with NOTICE_SMTP_PASSWORD, or neither',
    });
  }
  if (from === undefined || host === undefined || port === undefined) return undefined;
  const secret = password === undefined ? undefined : new Secret(password);
  return Object.freeze({
    from,
    smtp: Object.freeze({ host, port, user, password: secret }),
  });
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
