import { isArnOf } from '@file-processing/contract/arn.ts';
import {
  DEFAULT_NOTICE_STATES,
  isMailAddress,
  MAIL_ADDRESS,
  NOTICE_STATES,
  readWebhookUrl,
} from '@file-processing/contract/notices.ts';
import { choice, integer, text, textList } from '../variable.ts';
import { DNS_LABEL, isDnsLabel, isHostName } from './forms.ts';

/** Who is told of verdicts and of deliveries that do not come, and how. All ways are off by default. */
export const noticeVariables = {
  notice_states: textList({
    description:
      'What e-mails and webhooks report; a topic gets everything, because its subscriptions filter.',
    default: DEFAULT_NOTICE_STATES,
    example: ['failed', 'warned', 'recovered', 'corrected', 'late', 'missing'],
    allowed: `a list of ${NOTICE_STATES.map((state) => `"${state}"`).join(', ')}, each once`,
    accepts: (states) => states.length > 0 && new Set(states).size === states.length,
    acceptsItem: (state) => NOTICE_STATES.some((one) => one === state),
  }),
  notice_email: choice(['none', 'ses', 'smtp'], {
    description:
      'Sends notices by e-mail to the contact of each monitored file and to notice_operators: through Amazon SES, or through an SMTP server.',
    default: 'none',
    example: 'ses',
  }),
  notice_email_from: text({
    description: 'Sender of these e-mails.',
    default: '',
    example: 'data-quality@example.gov',
    allowed: MAIL_ADDRESS,
    accepts: isMailAddress,
  }),
  notice_operators: textList({
    description: 'People who are told of all files, in addition to the contact of each.',
    default: [],
    example: ['data-team@example.gov'],
    allowed: `a list of at most 20, each once and ${MAIL_ADDRESS}`,
    accepts: (addresses) => addresses.length <= 20 && new Set(addresses).size === addresses.length,
    acceptsItem: isMailAddress,
  }),
  notice_ses_identity: text({
    description:
      'The only verified SES identity that the pods may send as. Empty: the domain of notice_email_from.',
    default: '',
    example: 'example.gov',
    allowed: `a domain, or ${MAIL_ADDRESS}`,
    accepts: (value) => isMailAddress(value) || (isHostName(value) && value.includes('.')),
  }),
  notice_smtp_host: text({
    description:
      'SMTP server. TLS is required; a user and a password come from notice_secret_name.',
    default: '',
    example: 'smtp.example.gov',
    allowed: 'a host name or an IPv4 address',
    accepts: isHostName,
  }),
  notice_smtp_port: integer(1, 65_535, {
    description: 'Port of the SMTP server: TLS begins at once on 465, otherwise by STARTTLS.',
    default: 587,
    example: 465,
  }),
  notice_webhook_urls: textList({
    description:
      'Addresses that notices are posted to, signed by Standard Webhooks with NOTICE_WEBHOOK_SECRETS of notice_secret_name.',
    default: [],
    example: ['https://tickets.example.gov/hooks/data-quality'],
    allowed:
      'a list of at most 10, each once and an https address without user name, query or fragment',
    accepts: (urls) => urls.length <= 10 && new Set(urls).size === urls.length,
    acceptsItem: (url) => url.startsWith('https://') && readWebhookUrl(url) !== undefined,
  }),
  notice_webhook_private_hosts: textList({
    description:
      'Hosts of notice_webhook_urls that may have private addresses; connections to other private addresses are refused.',
    default: [],
    example: ['tickets.example.gov'],
    allowed: 'a list of hosts of notice_webhook_urls, each once',
    accepts: (hosts) => new Set(hosts).size === hosts.length,
    acceptsItem: isHostName,
  }),
  notice_topic_arn: text({
    description:
      'Existing SNS topic that gets every change, with the attributes state, verdict, client and mapping for filter policies.',
    default: '',
    example: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:data-quality-notices',
    allowed: 'the ARN of an SNS standard topic',
    accepts: isArnOf('sns', /^[\w-]{1,256}$/),
  }),
  notice_topic_kms_key_arn: text({
    description: 'KMS key that encrypts that topic, if any.',
    default: '',
    example:
      'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    allowed: 'the ARN of a KMS key',
    accepts: isArnOf('kms', /^key\/[\w-]+$/),
  }),
  notice_secret_name: text({
    description:
      'Kubernetes Secret that you create: with the key NOTICE_WEBHOOK_SECRETS for webhooks, and with NOTICE_SMTP_USER and NOTICE_SMTP_PASSWORD for an SMTP server.',
    default: '',
    example: 'file-processing-notices',
    allowed: DNS_LABEL,
    accepts: isDnsLabel,
  }),
};

type NoticeSettings = {
  readonly notice_email: string;
  readonly notice_email_from: string;
  readonly notice_ses_identity: string;
  readonly notice_webhook_urls: readonly string[];
  readonly notice_topic_arn: string;
};

/** Whether notices have a way out at all. */
export function tells({
  notice_email,
  notice_webhook_urls,
  notice_topic_arn,
}: Pick<NoticeSettings, 'notice_email' | 'notice_webhook_urls' | 'notice_topic_arn'>): boolean {
  return notice_email !== 'none' || notice_webhook_urls.length > 0 || notice_topic_arn !== '';
}

/** Identity of SES that mail is sent as. */
export function sesIdentity({
  notice_email_from,
  notice_ses_identity,
}: Pick<NoticeSettings, 'notice_email_from' | 'notice_ses_identity'>): string {
  return notice_ses_identity || notice_email_from.slice(notice_email_from.lastIndexOf('@') + 1);
}
