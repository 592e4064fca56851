import { SecretV1 } from '@cdktf/provider-kubernetes/lib/secret-v1/index.js';
import { type ITerraformDependable, Token } from 'cdktf';
import type { Construct } from 'constructs';
import { DATABASE_SECRET, LABELS } from './names.ts';

/** What the database's Secret is filled with. */
export interface DatabaseSecretProps {
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
  return new SecretV1(scope, 'database', {
    metadata: { name: DATABASE_SECRET, namespace: props.namespace, labels: LABELS },
    type: 'Opaque',
    dataWo: { DB_PASSWORD: props.dbPassword },
    dataWoRevision: Token.asNumber(props.dbPasswordRevision),
    lifecycle: {
      // Checked whenever the Secret is planned, but neither on import nor on destroy. Without it,
      // a missing password would only show as a crash of the provider in the middle of an apply.
      precondition: [
        {
          // False for null and for an empty text, such as a CI's unset secret.
          condition: `\${try(length(${props.dbPassword}) > 0, false)}`,
          errorMessage:
            'db_password must be given with db_host: set TF_VAR_db_password, name a Secret by existing_secret_name, or use db_iam_auth.',
        },
      ],
    },
    dependsOn: props.dependsOn,
  });
}
