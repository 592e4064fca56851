import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../audit/policy/policy-document.ts';
import {
  attachedPolicies,
  conditionInWords,
  shownPolicies,
  statementInWords,
} from '../../../audit/report/policies.ts';
import { smallModel } from '../support/small-stack.ts';

const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
});

describe('policies', () => {
  it('of IAM name the roles that they are attached to', () => {
    const model = smallModel({
      aws_iam_policy: { read: { policy: POLICY } },
      aws_iam_role: { reader: { name: 'reader' } },
      aws_iam_role_policy_attachment: {
        read: { role: '${aws_iam_role.reader.name}', policy_arn: '${aws_iam_policy.read.arn}' },
      },
    });
    expect(shownPolicies(model)).toMatchObject([
      { address: 'aws_iam_policy.read', holders: ['aws_iam_role.reader'] },
    ]);
    expect(attachedPolicies(model)).toEqual([]);
  });

  it('inside a role name the role', () => {
    const model = smallModel({
      aws_iam_role_policy: { read: { role: '${aws_iam_role.reader.id}', policy: POLICY } },
      aws_iam_role: { reader: { name: 'reader' } },
    });
    expect(shownPolicies(model)[0]?.holders).toEqual(['aws_iam_role.reader']);
  });

  it('in a place that nobody listed are found by their form', () => {
    const model = smallModel({ aws_vpc_endpoint: { s3: { policy: POLICY } } });
    expect(shownPolicies(model)).toMatchObject([
      { address: 'aws_vpc_endpoint.s3', about: 'aws_vpc_endpoint.s3' },
    ]);
  });

  it('that Terraform computes are shown without statements', () => {
    const model = smallModel({
      aws_iam_policy: { read: { policy: '${data.aws_iam_policy_document.read.json}' } },
    });
    expect(shownPolicies(model)[0]?.document).toBeUndefined();
  });

  it('of AWS are listed with the role that has them', () => {
    const model = smallModel({
      aws_iam_role: { node: { name: 'node' } },
      aws_iam_role_policy_attachment: {
        s3: { role: '${aws_iam_role.node.name}', policy_arn: 'arn:aws:iam::aws:policy/S3Full' },
      },
    });
    expect(attachedPolicies(model)).toStrictEqual([
      {
        stack: 'app',
        address: 'aws_iam_role_policy_attachment.s3',
        role: 'aws_iam_role.node',
        policyArn: 'arn:aws:iam::aws:policy/S3Full',
      },
    ]);
  });
});

const CONTEXT = { holders: ['aws_iam_role.reader'], about: 'aws_sns_topic.events' };

function words(statement: object, context = CONTEXT): string {
  const document = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statement }));
  const [parsed] = document?.statements ?? [];
  if (parsed === undefined) throw new Error('there is no statement');
  return statementInWords(parsed, context);
}

describe('a statement', () => {
  it('says who may do what on what under which conditions', () => {
    expect(
      words({
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: '${aws_sns_topic.events.arn}',
        Condition: {
          StringEquals: { 'aws:SourceAccount': '<account>' },
          ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::drop-box' },
        },
      }),
    ).toBe(
      'Service s3.amazonaws.com may sns:Publish on aws_sns_topic.events only when aws:SourceAccount is the own account and aws:SourceArn matches arn:aws:s3:::drop-box.',
    );
  });

  it('of a role names the role', () => {
    expect(
      words({
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:GetObjectVersion'],
        Resource: ['arn:aws:s3:::a/*', 'arn:aws:s3:::b/*'],
      }),
    ).toBe(
      'aws_iam_role.reader may s3:GetObject and s3:GetObjectVersion on arn:aws:s3:::a/* and arn:aws:s3:::b/*.',
    );
  });

  it('that nobody has says so', () => {
    expect(
      words({ Effect: 'Allow', Action: 'a:B', Resource: 'c' }, { holders: [], about: 'x' }),
    ).toBe('Nobody (the policy is attached to nothing) may a:B on c.');
  });

  it('that denies says what must not be', () => {
    expect(
      words({
        Effect: 'Deny',
        Principal: '*',
        Action: 'sns:*',
        Resource: '*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    ).toBe('Anyone must not sns:* on aws_sns_topic.events when aws:SecureTransport is false.');
  });

  it('without limits sounds like it', () => {
    expect(words({ Effect: 'Allow', Action: '*', Resource: '*' })).toBe(
      'aws_iam_role.reader may do everything on everything.',
    );
    expect(words({ Effect: 'Allow', Principal: { AWS: '*' }, Action: '*', Resource: '*' })).toBe(
      'Anyone may do everything on aws_sns_topic.events.',
    );
  });

  it('of exceptions names the exceptions', () => {
    expect(
      words({
        Effect: 'Allow',
        NotPrincipal: { AWS: 'arn:aws:iam::1:role/a' },
        NotAction: ['iam:*', 'sts:*'],
        NotResource: 'arn:aws:s3:::secret',
      }),
    ).toBe(
      'Everyone except AWS principal arn:aws:iam::1:role/a may do everything except iam:* and sts:* on everything except arn:aws:s3:::secret.',
    );
  });

  it('for the own account says that IAM decides', () => {
    expect(
      words({
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::<account>:root' },
        Action: 'kms:*',
        Resource: '*',
      }),
    ).toBe('Whoever the own account allows it by IAM may kms:* on aws_sns_topic.events.');
  });

  it('of a ServiceAccount names the issuer in words', () => {
    const issuer = '${replace(aws_eks_cluster.main.identity[0].oidc[0].issuer, "https://", "")}';
    expect(
      words({
        Effect: 'Allow',
        Principal: { Federated: '${aws_iam_openid_connect_provider.eks.arn}' },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { [`${issuer}:sub`]: 'system:serviceaccount:a:b' } },
      }),
    ).toBe(
      'Whoever signs in by aws_iam_openid_connect_provider.eks may sts:AssumeRoleWithWebIdentity on aws_sns_topic.events only when <OIDC issuer of aws_eks_cluster.main>:sub is system:serviceaccount:a:b.',
    );
  });
});

describe('a condition', () => {
  it.each([
    ['StringLike', ['a*', 'b*'], 'k matches a* or b*'],
    ['StringNotEquals', ['a', 'b'], 'k is not a and b'],
    ['StringEqualsIfExists', ['a'], 'k is a (or is absent)'],
    ['ForAllValues:StringEquals', ['a', 'b', 'c'], 'every value of k is a, b or c'],
    ['ForAnyValue:StringLike', ['a'], 'some value of k matches a'],
    ['NotIpAddress', ['10.0.0.0/8'], 'k is not in 10.0.0.0/8'],
    ['NumericLessThanEquals', ['5'], 'k is at most 5'],
    ['Null', ['true'], 'k is absent'],
    ['Null', ['false'], 'k is present'],
    ['SomethingNew', ['a'], 'k satisfies SomethingNew a'],
  ])('of %s %s is "%s"', (operator, values, expected) => {
    expect(conditionInWords({ operator, key: 'k', values })).toBe(expected);
  });
});
