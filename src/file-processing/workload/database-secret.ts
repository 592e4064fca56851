import { SecretV1 } from '@cdktf/provider-kubernetes/lib/secret-v1/index.js';
import { type ITerraformDependable, Token } from 'cdktf';
import type { Construct } from 'constructs';
import { DATABASE_SECRET, LABELS } from './names.ts';

/** A Secret of the stack's own, with one key: a password of the database, unless it says otherwise. */
export interface DatabaseSecretProps {
  /** In Terraform. @default database */
  readonly id?: string;
  /** @default that of the listener's Secret */
  readonly name?: string;
  /** @default DB_PASSWORD */
  readonly key?: string;
  /** What is said where the password is missing. @default how the listener may do without */
  readonly missing?: string;
  readonly namespace: string;
  /** Token of the ephemeral variable; null unless given. */
  readonly dbPassword: string;
  /** Token of a number. */
  readonly dbPasswordRevision: string;
  readonly dependsOn: ITerraformDependable[];
}

/**
 * The Secret with the database's password. The password is written by a write-only argument, so
 * neither plan nor state holds it; the provider writes it again only when the revision changes, and
 * without a revision it would make an empty Secret.
 */
export function createDatabaseSecret(scope: Construct, props: DatabaseSecretProps): SecretV1 {
  const { id = 'database', name = DATABASE_SECRET, key = 'DB_PASSWORD' } = props;
  return new SecretV1(scope, id, {
    metadata: { name, namespace: props.namespace, labels: LABELS },
    type: 'Opaque',
    dataWo: { [key]: props.dbPassword },
    dataWoRevision: Token.asNumber(props.dbPasswordRevision),
    lifecycle: {
      // Checked whenever the Secret is planned, but neither on import nor on destroy. Without it,
      // a missing password would only show as a crash of the provider in the middle of an apply.
      precondition: [
        {
          // False for null and for an empty text, such as a CI's unset secret.
          condition: `\${try(length(${props.dbPassword}) > 0, false)}`,
          errorMessage:
            props.missing ??
            'db_password must be given with db_host: set TF_VAR_db_password, name a Secret by existing_secret_name, or use db_iam_auth.',
        },
      ],
    },
    dependsOn: props.dependsOn,
  });
}
