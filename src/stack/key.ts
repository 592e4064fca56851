import { KmsAlias } from '@cdktf/provider-aws/lib/kms-alias/index.js';
import { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js';
import { Construct } from 'constructs';
import { accountAdministersKey, type KeyScope } from '../policies/key-policies.ts';
import { type PolicyStatement, policyJson } from '../policies/policy-document.ts';

/** Whose keys they are. */
export interface KeyOwner extends KeyScope {
  /** Beginning of the name of each key. */
  readonly keyPrefix: string;
  readonly settings: { readonly kms_deletion_window_days: number };
}

/** What a key is for. */
export interface KeyProps {
  readonly context: KeyOwner;
  /** Name of the key in Terraform, and the end of its alias. */
  readonly purpose: string;
  readonly description: string;
  /** Statements for those who may use the key without an IAM policy of the account. */
  readonly users?: readonly PolicyStatement[];
}

/** A KMS key of our own that rotates every year, with the alias `<prefix>-<purpose>`. */
export class Key extends Construct {
  /** ARN of the key. */
  readonly arn: string;

  constructor(scope: Construct, { context, purpose, description, users = [] }: KeyProps) {
    super(scope, `${purpose}-key`);
    const name = `${context.keyPrefix}-${purpose}`;
    const key = new KmsKey(this, purpose, {
      description,
      enableKeyRotation: true,
      deletionWindowInDays: context.settings.kms_deletion_window_days,
      policy: policyJson([accountAdministersKey(context), ...users]),
      tags: { Name: name },
    });
    new KmsAlias(key, purpose, { name: `alias/${name}`, targetKeyId: key.keyId });
    this.arn = key.arn;
  }
}
