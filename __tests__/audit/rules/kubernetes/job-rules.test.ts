import { describe } from 'vitest';
import { JOB_RULES } from '../../../../audit/rules/kubernetes/job-rules.ts';
import { DEPLOYMENT, POD } from '../../support/kubernetes-paths.ts';
import {
  addObject,
  argumentOf,
  type Change,
  describePlants,
  set,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const JOB = {
  backoff_limit: 2,
  active_deadline_seconds: 3600,
  ttl_seconds_after_finished: '86400',
};
const CRON = { schedule: '0 3 * * *', concurrency_policy: 'Forbid' };

describe('The rules on Jobs', () => {
  describePlants(JOB_RULES, {
    'job-ends': [
      ['a restart for ever', job({}, 'Always')],
      ['no word on restarts', job({}, '')],
      ['a thousand attempts', job({ backoff_limit: 1000 })],
      ['no deadline', job({ active_deadline_seconds: undefined })],
      ['a deadline of a year', job({ active_deadline_seconds: 31_536_000 })],
      ['a suspended Job', job({ suspend: true })],
      ['no deadline of a CronJob', cron({}, { active_deadline_seconds: undefined })],
    ],
    'job-is-cleaned-up': [
      ['no end', job({ ttl_seconds_after_finished: undefined })],
      ['an end after a year', job({ ttl_seconds_after_finished: '31536000' })],
      ['an end before anybody looks', job({ ttl_seconds_after_finished: '0' })],
    ],
    'cron-job-keeps-up': [
      ['runs that overlap', cron({ concurrency_policy: 'Allow' })],
      ['the default', cron({ concurrency_policy: undefined })],
      ['no schedule', cron({ schedule: 'every night' })],
      ['a suspended CronJob', cron({ suspend: true })],
      ['a thousand old runs', cron({ successful_jobs_history_limit: 1000 })],
      ['no failed run', cron({ failed_jobs_history_limit: 0 })],
      ['a deadline below the controller', cron({ starting_deadline_seconds: 1 })],
    ],
    'pod-has-an-owner': [
      [
        'a bare pod',
        (json) =>
          addObject('kubernetes_pod_v1', 'bare', { spec: argumentOf(json, DEPLOYMENT, POD) })(json),
      ],
      ['pods that do not restart', set(DEPLOYMENT, `${POD}.restart_policy`, 'Never')],
      ['pods that end', set(DEPLOYMENT, `${POD}.active_deadline_seconds`, 3600)],
    ],
  });
});

function template(json: Json, restart_policy: string | undefined): Json {
  const spec = argumentOf(json, DEPLOYMENT, POD) as Json;
  return { metadata: { labels: {} }, spec: { ...spec, ...(restart_policy && { restart_policy }) } };
}

function job(change: Json, restart: string | undefined = 'Never'): Change {
  return (json) =>
    addObject('kubernetes_job_v1', 'job', {
      spec: defined({ ...JOB, ...change, template: template(json, restart) }),
    })(json);
}

function cron(change: Json, jobChange: Json = {}): Change {
  return (json) =>
    addObject('kubernetes_cron_job_v1', 'cron', {
      spec: defined({
        ...CRON,
        ...change,
        job_template: {
          metadata: {},
          spec: defined({ ...JOB, ...jobChange, template: template(json, 'Never') }),
        },
      }),
    })(json);
}

function defined(block: Json): Json {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined));
}
