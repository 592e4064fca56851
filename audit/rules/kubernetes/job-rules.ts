import { type Rule, rule } from '../rule.ts';
import { shown, when } from './faults.ts';
import { endingPods, objectsOf, podsOf, servingPods } from './pods.ts';

const DAY = 86_400;

/** What never ends, costs and blocks. */
export const jobEnds: Rule = rule({
  id: 'job-ends',
  title: 'A Job gives up after a few attempts and a time',
  reason:
    'A Job that fails is started again for ever, or hangs for ever, unless it is told when to give up.',
  control: 'SC-6',
  severity: 'medium',
  subjects: endingPods,
  faults: ({ kind, manifest, spec }) => {
    const job =
      kind === 'CronJob' ? (manifest.spec?.jobTemplate?.spec ?? {}) : (manifest.spec ?? {});
    const { backoffLimit = 6, activeDeadlineSeconds } = job;
    const deadline = activeDeadlineSeconds ?? spec.activeDeadlineSeconds;
    return [
      ...when(
        !['Never', 'OnFailure'].includes(spec.restartPolicy ?? ''),
        `restartPolicy is ${shown(spec.restartPolicy)}; the API takes Never or OnFailure for a Job`,
      ),
      ...when(backoffLimit > 10, `tries ${backoffLimit} times again`),
      ...when(deadline === undefined, 'has no activeDeadlineSeconds, so it may run for ever'),
      ...when(
        deadline !== undefined && (deadline > DAY || deadline < 1),
        `activeDeadlineSeconds is ${deadline}; that is at most a day`,
      ),
      ...when(job.suspend === true, 'is suspended: it never starts'),
    ];
  },
});

/** What has ended must go. */
export const jobIsCleanedUp: Rule = rule({
  id: 'job-is-cleaned-up',
  title: 'A Job goes away after it has ended',
  reason:
    'Ended Jobs and their pods stay until somebody deletes them, and slow the cluster down until then.',
  control: 'SI-12',
  severity: 'low',
  subjects: (audited) => objectsOf(audited, 'Job'),
  faults: ({ manifest }) => {
    const seconds = manifest.spec?.ttlSecondsAfterFinished;
    return [
      ...when(seconds === undefined, 'has no ttlSecondsAfterFinished, so it stays for ever'),
      ...when(
        seconds !== undefined && (seconds < 60 || seconds > 7 * DAY),
        `ttlSecondsAfterFinished is ${seconds}; that is a minute to a week`,
      ),
    ];
  },
});

/** A schedule that overtakes itself piles up. */
export const cronJobKeepsUp: Rule = rule({
  id: 'cron-job-keeps-up',
  title: 'A CronJob starts when it should, one run at a time, and keeps few old ones',
  reason:
    'Runs that overlap work on the same files twice; a schedule that is missed for long is never made up for; old runs stay by the hundred.',
  control: 'SC-6',
  severity: 'medium',
  subjects: (audited) => objectsOf(audited, 'CronJob'),
  faults: ({ manifest }) => {
    const spec = manifest.spec ?? {};
    const { concurrencyPolicy = 'Allow', schedule = '', startingDeadlineSeconds: late } = spec;
    const histories = ['successfulJobsHistoryLimit', 'failedJobsHistoryLimit'] as const;
    return [
      ...when(
        !CRON.test(schedule),
        `its schedule is ${shown(schedule)}; that is five fields, or a macro`,
      ),
      ...when(
        !['Forbid', 'Replace'].includes(concurrencyPolicy),
        `concurrencyPolicy ${concurrencyPolicy} lets runs overlap`,
      ),
      ...when(spec.suspend === true, 'is suspended: it never starts'),
      ...when(late !== undefined && late < 10, `startingDeadlineSeconds ${late} misses every run`),
      ...histories
        .filter((name) => Number(spec[name] ?? 3) > 10)
        .map((name) => `${name} keeps ${spec[name]} runs`),
      ...when(spec.failedJobsHistoryLimit === 0, 'failedJobsHistoryLimit 0 hides why a run failed'),
    ];
  },
});

/** A pod that nobody makes again is gone with its node. */
export const podHasAnOwner: Rule = rule({
  id: 'pod-has-an-owner',
  title: 'Every pod is made by a workload that makes it again',
  reason: 'A bare pod is gone with its node; one that must not restart stays dead.',
  control: 'CP-10',
  severity: 'medium',
  subjects: (audited) => podsOf(audited).filter((pod) => !endingPods(audited).includes(pod)),
  faults: (pod, audited) => [
    ...when(pod.kind === 'Pod', 'is a bare pod: nothing makes it again'),
    ...when(
      servingPods(audited).includes(pod) && ![undefined, 'Always'].includes(pod.spec.restartPolicy),
      `restartPolicy is ${pod.spec.restartPolicy}; the API takes Always for a ${pod.kind}`,
    ),
    ...when(
      pod.spec.activeDeadlineSeconds !== undefined,
      `is killed after ${pod.spec.activeDeadlineSeconds} s (activeDeadlineSeconds)`,
    ),
  ],
});

const CRON = /^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|(\S+\s+){4}\S+)$/;

/** Rules on what is meant to end, and what is not. */
export const JOB_RULES: readonly Rule[] = [jobEnds, jobIsCleanedUp, cronJobKeepsUp, podHasAnOwner];
