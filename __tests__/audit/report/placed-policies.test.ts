import { describe, expect, it } from 'vitest';
import { attachedPolicies, shownPolicies } from '../../../audit/report/placed-policies.ts';
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
    expect(attachedPolicies(model)).toEqual([
      {
        stack: 'app',
        address: 'aws_iam_role_policy_attachment.s3',
        role: 'aws_iam_role.node',
        policyArn: 'arn:aws:iam::aws:policy/S3Full',
      },
    ]);
  });
});
