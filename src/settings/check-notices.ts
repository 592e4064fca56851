import { isOfIdentity } from '@file-processing/contract/notices.ts';
import type { CrossFinding } from './check-foundation-network.ts';
import { sesIdentity } from './file-processing/notices.ts';
import type { FileProcessingSettings } from './file-processing-variables.ts';

type Name = keyof FileProcessingSettings & string;
type Finding = CrossFinding<Name>;

/** Faults between the variables of notices: a way that is half set up would be one that nobody hears by. */
export function checkNotices(settings: FileProcessingSettings): Finding[] {
  return [...checkMail(settings), ...checkWebhooks(settings), ...checkTopic(settings)];
}

const OF_MAIL = ['notice_email_from', 'notice_operators'] as const;

function checkMail(settings: FileProcessingSettings): Finding[] {
  const { notice_email: way, notice_email_from: from, notice_smtp_host: host } = settings;
  const { notice_ses_identity: identity } = settings;
  const findings: Finding[] = [];
  if (way === 'none') {
    for (const variable of OF_MAIL.filter((name) => settings[name].length > 0)) {
      findings.push({ variable, message: 'must be empty without notice_email' });
    }
  } else if (from === '') {
    findings.push({ variable: 'notice_email_from', message: `must be set with ${way}` });
  }
  if (way === 'smtp' && host === '') {
    findings.push({ variable: 'notice_smtp_host', message: 'must be set with smtp' });
  }
  if (way !== 'smtp' && host !== '') {
    const message = 'must be empty unless notice_email is "smtp"';
    findings.push({ variable: 'notice_smtp_host', message });
  }
  if (identity !== '' && way !== 'ses') {
    const message = 'must be empty unless notice_email is "ses"';
    findings.push({ variable: 'notice_ses_identity', message });
  }
  if (way === 'ses' && from !== '' && !isOfIdentity(from, sesIdentity(settings))) {
    const message = `${identity} must be ${from}, its domain, or one above it`;
    findings.push({ variable: 'notice_ses_identity', message });
  }
  return findings;
}

function checkWebhooks(settings: FileProcessingSettings): Finding[] {
  const { notice_webhook_urls: urls, notice_webhook_private_hosts: named } = settings;
  const hosts = urls.map((url) => URL.parse(url)?.hostname ?? '');
  const unknown = named.filter((host) => !hosts.includes(host));
  return [
    ...(urls.length > 0 && settings.notice_secret_name === ''
      ? [
          {
            variable: 'notice_secret_name' as const,
            message:
              'must name the Secret with NOTICE_WEBHOOK_SECRETS, by which the webhooks are signed',
          },
        ]
      : []),
    ...(unknown.length > 0
      ? [
          {
            variable: 'notice_webhook_private_hosts' as const,
            message: `${unknown.join(', ')} must be a host of notice_webhook_urls (${hosts.join(', ') || 'none'})`,
          },
        ]
      : []),
  ];
}

function checkTopic({
  notice_topic_arn: topic,
  notice_topic_kms_key_arn: key,
  existing_topic_arn,
  sns_topic_name,
  aws_region,
}: FileProcessingSettings): Finding[] {
  if (key !== '' && topic === '') {
    return [
      {
        variable: 'notice_topic_kms_key_arn',
        message: 'needs notice_topic_arn: it is the key of that topic',
      },
    ];
  }
  const [, , , region, , name] = topic.split(':');
  const isOwn = existing_topic_arn === '' && name === sns_topic_name && region === aws_region;
  if (topic === '' || !(topic === existing_topic_arn || isOwn)) return [];
  const message = `${topic} is the topic that tells of deliveries: what is told of them would come back as one`;
  return [{ variable: 'notice_topic_arn', message }];
}
