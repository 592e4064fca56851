import { WORKLOAD_ROLE_RULES } from '../../../../audit/rules/identity/workload-role.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { CONFIG_MAP } from '../../support/kubernetes-paths.ts';
import { all, type Change, remove, set } from '../../support/kubernetes-plants.ts';

const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:notices';
const RULES_BUCKET = 'arn:aws-us-gov:s3:::agency-rules';
const FIRST = (list: unknown) => (list as string[]).slice(0, 1);
const BUCKET = (arn: unknown) => String(arn).replace(/:::[^/]+/, ':::another');

const setting = (name: string, value: string): Change => set(CONFIG_MAP, `data.${name}`, value);

/** Where the listener is told of its notices. */
const NOTICED = 'kubernetes_config_map_v1';

/** The keys of the objects that may be tagged. */
const TAGGED = /("s3:PutObjectVersionTagging"\],"Resource":\[?"[^"/]*)\/[^"]*/g;

/** Replaces a text in each policy. */
const policy =
  (from: string | RegExp, to: string): Change =>
  (json) => {
    const resources = Object.entries(Object(json.resource)).filter(([type]) =>
      /^aws_iam_(role_)?policy$/.test(type),
    );
    for (const block of resources.flatMap(([, named]) => Object.values(Object(named)))) {
      const { policy: text } = block as { policy: string };
      Object.assign(Object(block), { policy: text.replaceAll(from, to) });
    }
  };

/** Where the listener is told of several buckets. */
const TOLD = ['kubernetes_config_map_v1', 'data.S3_BUCKETS'] as const;

describeRules(WORKLOAD_ROLE_RULES, {
  plants: {
    'workload-role-allows-its-work': [
      [
        'a prefix that may not be read',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) =>
            Object.assign(s, { Resource: FIRST(s.Resource) }),
          ),
      ],
      [
        'a prefix that may not be listed',
        ({ statement }) =>
          statement(/s3:prefix/, (s) =>
            Object.assign(Object(s.Condition).StringLike, {
              's3:prefix': FIRST(Object(s.Condition).StringLike['s3:prefix']),
            }),
          ),
      ],
      [
        'versions that may not be listed',
        ({ statement }) =>
          statement(/s3:ListBucketVersions/, (s) => Object.assign(s, { Action: 's3:ListBucket' })),
      ],
      [
        'versions that may not be read',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) => Object.assign(s, { Action: 's3:GetObject' })),
      ],
      [
        'the bucket instead of its objects',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) =>
            Object.assign(s, {
              Resource: (s.Resource as string[]).map((arn) => arn.replace(/\/.*/, '')),
            }),
          ),
      ],
      [
        'another bucket',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) =>
            Object.assign(s, { Resource: (s.Resource as string[]).map(BUCKET) }),
          ),
      ],
      [
        'reports that may not be written',
        ({ statements }) =>
          statements(/s3:PutObject/, (list) =>
            list.filter(({ Action }) => Action !== 's3:PutObject'),
          ),
      ],
      [
        'reports that may be written to another bucket alone',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) => Object.assign(s, { Resource: BUCKET(s.Resource) })),
      ],
      [
        'reports elsewhere',
        ({ set }) => set('kubernetes_config_map_v1', 'data.REPORT_PREFIX', 'another/'),
      ],
      [
        'a further prefix in the settings',
        ({ change }) =>
          change('kubernetes_config_map_v1', 'data.S3_PREFIXES', (text) => `${text},another/`),
      ],
      [
        'another topic to confirm',
        ({ statement }) =>
          statement(/sns:ConfirmSubscription/, (s) =>
            Object.assign(s, { Resource: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:another' }),
          ),
      ],
      [
        'no right to confirm',
        ({ remove }) =>
          remove(
            'aws_iam_role_policy_attachment',
            /delivery|policy_arn":"\$\{aws_iam_policy\.[\w]+_q?ycxn|aws_iam_policy.r_file_q7b6i_qycxn/,
          ),
      ],
      [
        'dead letters that may not be taken',
        ({ statements }) =>
          statements(/sqs:ReceiveMessage/, (list) =>
            list.filter(({ Action }) => !String(Action).includes('sqs:ReceiveMessage')),
          ),
      ],
      [
        'dead letters that may not be decrypted',
        ({ statements }) =>
          statements(/sqs:ReceiveMessage/, (list) =>
            list.filter(({ Action }) => Action !== 'kms:Decrypt'),
          ),
      ],
      [
        'a key that encrypts only',
        ({ statement }) =>
          statement(/kms:ViaService":"s3/, (s) =>
            Object.assign(s, { Action: ['kms:GenerateDataKey'] }),
          ),
      ],
      [
        'a key that decrypts only',
        ({ statement }) =>
          statement(/kms:ViaService":"s3/, (s) => Object.assign(s, { Action: ['kms:Decrypt'] })),
      ],
      [
        'the right to read as a denial',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) => Object.assign(s, { Effect: 'Deny' })),
      ],
    ],
    'workload-role-allows-no-more': [
      [
        'a right to write where no report is written',
        ({ set }) => set('kubernetes_config_map_v1', 'data.WRITE_REPORTS', 'false'),
      ],
      [
        'a right to write without the switch that uses it',
        ({ drop }) => drop('kubernetes_config_map_v1', 'data.WRITE_REPORTS'),
      ],
      [
        'a right to write below another prefix than the configured one',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) =>
            Object.assign(s, { Resource: String(s.Resource).replace(/\/\*$/, '_of_others/*') }),
          ),
      ],
      [
        'a database user that the pods do not sign in as',
        ({ statements }) =>
          statements(/s3:GetObject/, (list) => {
            list.push({
              Effect: 'Allow',
              Action: 'rds-db:connect',
              Resource: 'arn:aws-us-gov:rds-db:us-gov-west-1:123456789012:dbuser:db-ABCD/somebody',
            });
          }),
      ],

      [
        'everything below a shorter prefix',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) =>
            Object.assign(s, {
              Resource: (s.Resource as string[]).map((arn) => arn.replace(/\/[^/]+\/\*$/, '/*')),
            }),
          ),
      ],
      [
        'another prefix',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) =>
            (s.Resource as string[]).push(
              String((s.Resource as string[])[0]).replace(/\/.*/, '/private/*'),
            ),
          ),
      ],
      [
        'writing where deliveries land',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) =>
            Object.assign(s, {
              Resource: [s.Resource, String(s.Resource).replace(/\/.*/, '/from_client/*')],
            }),
          ),
      ],
      [
        'listing without a prefix',
        ({ statement }) =>
          statement(/s3:ListBucket/, (s) => {
            delete s.Condition;
          }),
      ],
      [
        'listing versions without a prefix',
        ({ statements }) =>
          statements(/s3:ListBucketVersions/, (list) => {
            const listing = Object(list.find(({ Condition }) => Condition !== undefined));
            list.push({ ...listing, Action: 's3:ListBucketVersions', Condition: {} });
          }),
      ],
      [
        'listing more',
        ({ statement }) =>
          statement(/s3:ListBucket/, (s) =>
            (Object(s.Condition).StringLike['s3:prefix'] as string[]).push('private/*'),
          ),
      ],
      [
        'listing another bucket',
        ({ statement }) =>
          statement(/s3:ListBucket/, (s) =>
            Object.assign(s, { Resource: [s.Resource, BUCKET(s.Resource)] }),
          ),
      ],
      [
        'reading access lists',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) => (s.Action as string[]).push('s3:GetObjectAcl')),
      ],
      [
        'publishing',
        ({ statement }) =>
          statement(/sns:ConfirmSubscription/, (s) =>
            Object.assign(s, { Action: ['sns:ConfirmSubscription', 'sns:Publish'] }),
          ),
      ],
      [
        'a topic of somebody else',
        ({ statement }) =>
          statement(/sns:ConfirmSubscription/, (s) =>
            Object.assign(s, {
              Resource: [s.Resource, 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:another'],
            }),
          ),
      ],
      [
        'encrypting with the key',
        ({ statement }) =>
          statement(/kms:ViaService":"s3/, (s) => (s.Action as string[]).push('kms:Encrypt')),
      ],
      [
        'secrets of Secrets Manager',
        ({ statements }) =>
          statements(/s3:PutObject/, (list) =>
            list.push({
              Sid: 'X',
              Effect: 'Allow',
              Action: 'secretsmanager:GetSecretValue',
              Resource: 'arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:x',
            }),
          ),
      ],
    ],
  },
  queue: {
    'workload-role-allows-its-work': [
      [
        'notices for another topic',
        ({ set: change }) => change(NOTICED, 'data.NOTICE_TOPIC_ARN', `${TOPIC}-of-others`, /S3_/),
      ],
      [
        'mail of another sender',
        ({ set: change }) => change(NOTICED, 'data.NOTICE_EMAIL_FROM', 'data@other.gov', /S3_/),
      ],
      [
        'mail that may not be sent',
        ({ statement }) => statement(/ses:SendEmail/, (s) => Object.assign(s, { Effect: 'Deny' })),
      ],
      [
        'rules that may not be read',
        ({ statement }) =>
          statement(/"Action":"s3:GetObject"/, (s) =>
            Object.assign(s, { Resource: `${RULES_BUCKET}/file-processing/rules-manifest.json` }),
          ),
      ],
      [
        'messages that may not be deleted',
        ({ statement }) =>
          statement(/sqs:ReceiveMessage/, (s) =>
            Object.assign(s, {
              Action: [
                'sqs:ReceiveMessage',
                'sqs:ChangeMessageVisibility',
                'sqs:GetQueueAttributes',
              ],
            }),
          ),
      ],
      [
        'messages of the other queue',
        ({ statement, address }) =>
          statement(/sqs:ReceiveMessage/, (s) =>
            Object.assign(s, { Resource: `\${${address('aws_sqs_queue', /byQueue/)}.arn}` }),
          ),
      ],
      [
        'messages that may not be decrypted',
        ({ statements }) => statements(/sqs:ReceiveMessage/, (list) => list.slice(0, 1)),
      ],
      [
        'messages under another key',
        ({ statement, address }) =>
          statement(/"kms:Decrypt","Resource/, (s) =>
            Object.assign(s, { Resource: `\${${address('aws_kms_key', /logs.us-gov/)}.arn}` }),
          ),
      ],
    ],
    'workload-role-allows-no-more': [
      [
        'a right to delete reports that are not to be forgotten',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) =>
            Object.assign(s, { Action: ['s3:PutObject', 's3:DeleteObject'] }),
          ),
      ],
      [
        'a topic of others',
        ({ statement }) =>
          statement(/"sns:Publish","Resource":"[^"]*:notices"/, (s) =>
            Object.assign(s, { Resource: `${TOPIC}-of-others` }),
          ),
      ],
      [
        'a topic that nobody is told by',
        ({ drop }) => drop(NOTICED, 'data.NOTICE_TOPIC_ARN', /S3_/),
      ],
      [
        'mail from whomever',
        ({ statement }) =>
          statement(/ses:SendEmail/, (s) => {
            delete s.Condition;
          }),
      ],
      [
        'mail from another address',
        ({ statement }) =>
          statement(/ses:SendEmail/, (s) => {
            Object(s.Condition).StringEquals['ses:FromAddress'] = 'boss@example.gov';
          }),
      ],
      [
        'mail as another identity',
        ({ statement }) =>
          statement(/ses:SendEmail/, (s) =>
            Object.assign(s, { Resource: String(s.Resource).replace('example.gov', 'other.gov') }),
          ),
      ],
      [
        'mail as any identity',
        ({ statement }) =>
          statement(/ses:SendEmail/, (s) =>
            Object.assign(s, { Resource: String(s.Resource).replace('example.gov', '*') }),
          ),
      ],
      [
        'rules of others',
        ({ statement }) =>
          statement(/"Action":"s3:GetObject"/, (s) =>
            Object.assign(s, { Resource: `${RULES_BUCKET}/*` }),
          ),
      ],
      [
        'versions of rules',
        ({ statement }) =>
          statement(/"Action":"s3:GetObject"/, (s) =>
            Object.assign(s, { Action: ['s3:GetObject', 's3:GetObjectVersion'] }),
          ),
      ],
      [
        'rules that may be written',
        ({ statement }) =>
          statement(/"Action":"s3:GetObject"/, (s) =>
            Object.assign(s, { Action: ['s3:GetObject', 's3:PutObject'] }),
          ),
      ],
      [
        'what others encrypted with the key of the rules',
        ({ statement }) =>
          statement(/EncryptionContext/, (s) =>
            Object.assign(Object(s.Condition).StringLike, {
              'kms:EncryptionContext:aws:s3:arn': 'arn:aws-us-gov:s3:::*',
            }),
          ),
      ],
      [
        'the dead-letter queue of somebody else',
        ({ statement }) =>
          statement(/sqs:ReceiveMessage/, (s) =>
            Object.assign(s, {
              Resource: [s.Resource, 'arn:aws-us-gov:sqs:us-gov-west-1:123456789012:another'],
            }),
          ),
      ],
      [
        'the dead-letter queue, out of which SQS moves messages by itself',
        ({ statement, address }) =>
          statement(/sqs:ReceiveMessage/, (s) =>
            Object.assign(s, {
              Resource: [s.Resource, `\${${address('aws_sqs_queue', /byQueue/)}.arn}`],
            }),
          ),
      ],
      [
        'sending to the queue',
        ({ statement }) =>
          statement(/sqs:ReceiveMessage/, (s) => (s.Action as string[]).push('sqs:SendMessage')),
      ],
    ],
  },
  bridge: {
    'workload-role-allows-its-work': [
      [
        'undelivered events that may not be taken',
        ({ statement }) =>
          statement(/sqs:ReceiveMessage/, (s) => Object.assign(s, { Resource: FIRST(s.Resource) })),
      ],
    ],
  },
  objects: {
    'workload-role-allows-its-work': [
      ['another bucket', setting('S3_BUCKET', 'another-bucket')],
      ['another prefix', setting('S3_PREFIXES', 'outgoing_files/')],
      ['other reports', setting('REPORT_PREFIX', 'findings_of_ours/')],
      [
        'reports that it has no right to write',
        all(setting('WRITE_REPORTS', 'true'), setting('REPORT_PREFIX', 'findings_of_ours/')),
        'noReports',
      ],
      ['no policy', remove('aws_iam_role_policy_attachment')],
      ['another user of the database', setting('DB_USER', 'root'), 'iam'],
      ['no policy for the queue', remove('aws_iam_role_policy_attachment'), 'queue'],
      [
        'no right to the tags of versions',
        policy('s3:PutObjectVersionTagging', 's3:GetObject'),
        'routing',
      ],
      ['no right to write copies', policy('s3:AbortMultipartUpload', 's3:PutObject'), 'routing'],
      ['no right to forget copies', policy('s3:DeleteObjectVersion', 's3:DeleteObject'), 'routing'],
      [
        'copies elsewhere',
        setting('ROUTING_TARGETS', '[{"bucket":"checked-files","prefix":"others/"}]'),
        'routing',
      ],
    ],
    'workload-role-allows-no-more': [
      ['tags that nobody sets', setting('ROUTING_TAGS', 'false'), 'routing'],
      [
        'a place that nothing is copied to',
        setting('ROUTING_TARGETS', '[{"bucket":"checked-files","prefix":"checked/"}]'),
        'routing',
      ],
      [
        'copies anywhere in their bucket',
        policy('checked-files/checked/*', 'checked-files/*'),
        'routing',
      ],
      ['copies in any bucket', policy('checked-files/checked/*', '*/checked/*'), 'routing'],
      ['tags of all of a bucket', policy(TAGGED, '$1/*'), 'routing'],
      [
        'tags that may be deleted',
        policy('s3:PutObjectTagging', 's3:DeleteObjectTagging'),
        'routing',
      ],
      ['copies that may be read', policy('s3:AbortMultipartUpload', 's3:GetObject'), 'routing'],
      [
        'a key of copies for other objects',
        policy('checked-files/checked/*"]', 'checked-files/others/*"]'),
        'routing',
      ],
      ['copies that nobody forgets', setting('FORGET_REPORTS', 'false'), 'routing'],
    ],
  },
  buckets: {
    'workload-role-allows-its-work': [
      [
        'a bucket that may not be read',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) =>
            Object.assign(s, { Resource: FIRST(s.Resource) }),
          ),
      ],
      [
        'a bucket that may not be listed',
        ({ statement }) =>
          statement(/s3:prefix/, (s) => Object.assign(s, { Resource: FIRST(s.Resource) })),
      ],
      [
        'a bucket that takes no reports',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) => Object.assign(s, { Resource: FIRST(s.Resource) })),
      ],
      [
        'a bucket that the listener was told of, and the role was not',
        ({ json }) =>
          json(...TOLD, (list) => (list as unknown as object[]).push({ name: 'new-box' })),
      ],
    ],
    'workload-role-allows-no-more': [
      [
        'a key prefix of another bucket',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) => {
            const [first = '', second = ''] = s.Resource as string[];
            const prefix = second.slice(second.indexOf('/'));
            Object.assign(s, { Resource: [first.replace(/\/.*/, prefix)] });
          }),
      ],
      [
        'a list below the key prefixes of another bucket',
        ({ statements }) =>
          statements(/s3:prefix/, (list) => {
            const [one, other] = list.filter(({ Action }) =>
              [Action].flat().includes('s3:ListBucket'),
            );
            Object.assign(Object(one), { Condition: Object(other).Condition });
          }),
      ],
      [
        'reports in a bucket that is not its own',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) =>
            Object.assign(s, { Resource: (s.Resource as string[]).map(BUCKET) }),
          ),
      ],
    ],
  },
});
