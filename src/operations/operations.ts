import { apply } from './commands/apply.ts';
import { console } from './commands/console.ts';
import { dbConnect } from './commands/db-connect.ts';
import { dbRestore } from './commands/db-restore.ts';
import { dbSnapshot, dbStart, dbStop } from './commands/db-state.ts';
import { destroy } from './commands/destroy.ts';
import { doctor } from './commands/doctor.ts';
import { drift } from './commands/drift.ts';
import { ecrPut } from './commands/ecr-put.ts';
import { exec } from './commands/exec.ts';
import { init } from './commands/init.ts';
import { jobManifest } from './commands/job-manifest.ts';
import { kubeconfig } from './commands/kubeconfig.ts';
import { manifests } from './commands/manifests.ts';
import { newEnvironment } from './commands/new-environment.ts';
import { oidcImport } from './commands/oidc-import.ts';
import { oidcThumbprint } from './commands/oidc-thumbprint.ts';
import { outputs } from './commands/outputs.ts';
import { plan } from './commands/plan.ts';
import { queueDelete } from './commands/queue-delete.ts';
import { rollout } from './commands/rollout.ts';
import { rulesPush } from './commands/rules-push.ts';
import { rulesRehearse } from './commands/rules-rehearse.ts';
import { s3ConfigureNotifications } from './commands/s3-configure-notifications.ts';
import { setupLocalStack } from './commands/setup-localstack.ts';
import { snsProbe } from './commands/sns-probe.ts';
import { snsPublish } from './commands/sns-publish.ts';
import { snsSetTopicPolicy } from './commands/sns-set-topic-policy.ts';
import { snsSubscribe } from './commands/sns-subscribe.ts';
import { sqsRedrive } from './commands/sqs-redrive.ts';
import { updateImage } from './commands/update-image.ts';
import { upgradeNotes } from './commands/upgrade-notes.ts';
import { verifyIrsa } from './commands/verify-irsa.ts';
import type { Operation } from './operation.ts';

/** Every command of `manage`, in the order of its help. */
// biome-ignore lint/suspicious/noExplicitAny: each command knows its own options; commander fills them.
export const OPERATIONS: readonly Operation<any>[] = [
  newEnvironment,
  init,
  plan,
  drift,
  upgradeNotes,
  apply,
  destroy,
  outputs,
  oidcImport,
  kubeconfig,
  oidcThumbprint,
  verifyIrsa,
  doctor,
  dbStart,
  dbStop,
  dbSnapshot,
  dbRestore,
  dbConnect,
  rulesPush,
  rulesRehearse,
  s3ConfigureNotifications,
  snsSubscribe,
  snsProbe,
  snsSetTopicPolicy,
  snsPublish,
  sqsRedrive,
  queueDelete,
  setupLocalStack,
  ecrPut,
  rollout,
  updateImage,
  jobManifest,
  exec,
  console,
  manifests,
];
