import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createMetrics, startMetricsServer } from '../../../../listener/src/http/metrics.ts';
import type { HttpServer } from '../../../../listener/src/http/server.ts';
import { collectingLogger } from '../../support/sns-listener.ts';

const BACKLOG = {
  deadLetters: 1,
  deadMessages: 2,
  deadNotices: 8,
  waitingNotices: 9,
  oldestNoticeSeconds: 10,
  lastListing: 11,
  foundByListing: 12,
  missingReports: 3,
  unmonitoredFiles: 4,
  lateDeliveries: 5,
  missingDeliveries: 6,
  monthsAheadSeconds: 8_000_000,
  oldestWaitingSeconds: 1.5,
};

async function samplesOf(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  return (await metrics.registry.metrics()).split('\n');
}

describe('createMetrics', () => {
  it('shows every outcome and verdict from the start', async () => {
    const samples = await samplesOf(createMetrics());

    for (const outcome of ['accepted', 'duplicate', 'signature_invalid', 'deadline_exceeded']) {
      expect(samples).toContain(`file_processing_http_requests_total{outcome="${outcome}"} 0`);
    }
    for (const closure of ['no_request', 'idle', 'unverified', 'refused']) {
      expect(samples).toContain(
        `file_processing_http_closed_connections_total{closure="${closure}"} 0`,
      );
    }
    for (const verdict of ['passed', 'warned', 'failed', 'unreadable']) {
      for (const rules of ['mapping', 'none']) {
        const labels = `verdict="${verdict}",rules="${rules}"`;
        expect(samples).toContain(`file_processing_runs_total{${labels}} 0`);
      }
    }
  });

  it('counts and observes', async () => {
    const metrics = createMetrics();
    metrics.countRequest('accepted');
    metrics.countRequest('accepted');
    metrics.countRun('failed', 'mapping');
    metrics.countWithoutVerdict('gone');
    metrics.countWithoutVerdict('error', 3);
    metrics.countReport('written');
    metrics.observeIntake(0.004);
    metrics.observeJob(0.7);
    metrics.addChecked({ rows: 10, bytes: 2000 });
    metrics.addChecked({ rows: 5, bytes: 500 });

    expect(await samplesOf(metrics)).toEqual(
      expect.arrayContaining([
        'file_processing_http_requests_total{outcome="accepted"} 2',
        'file_processing_runs_total{verdict="failed",rules="mapping"} 1',
        'file_processing_judgements_without_verdict_total{status="gone"} 1',
        'file_processing_judgements_without_verdict_total{status="replaced"} 0',
        'file_processing_judgements_without_verdict_total{status="error"} 3',
        'file_processing_reports_total{outcome="written"} 1',
        'file_processing_reports_total{outcome="failed"} 0',
        'file_processing_intake_duration_seconds_bucket{le="0.005"} 1',
        'file_processing_intake_duration_seconds_sum 0.004',
        'file_processing_job_duration_seconds_bucket{le="1"} 1',
        'file_processing_checked_rows_total 15',
        'file_processing_checked_bytes_total 2500',
      ]),
    );
  });

  it('has help and type for every metric', async () => {
    const samples = await samplesOf(
      createMetrics({ queueDepths: async () => ({ jobs: 1 }), backlog: async () => BACKLOG }),
    );
    const names = samples.flatMap(
      (line) => line.match(/^(file_processing_\w+?)(?:_bucket|_sum|_count)?[ {]/)?.[1] ?? [],
    );

    expect(names).not.toEqual([]);
    for (const name of new Set(names)) {
      expect(samples.some((line) => line.startsWith(`# HELP ${name} `))).toBe(true);
      expect(samples.some((line) => line.startsWith(`# TYPE ${name} `))).toBe(true);
    }
  });

  it('asks for the depth of the queues at each scrape', async () => {
    let depths: Record<string, number> = { jobs: 3, dead: 1 };
    const metrics = createMetrics({ queueDepths: async () => depths });

    expect(await samplesOf(metrics)).toContain('file_processing_queue_depth{queue="jobs"} 3');
    depths = { jobs: 7 };
    const later = await samplesOf(metrics);

    expect(later).toContain('file_processing_queue_depth{queue="jobs"} 7');
    expect(later.join()).not.toContain('queue="dead"');
  });

  it('shows the other metrics while the database is unavailable', async () => {
    const metrics = createMetrics({ queueDepths: () => Promise.reject(new Error('away')) });
    const samples = await samplesOf(metrics);

    expect(samples).toContain('file_processing_http_requests_total{outcome="accepted"} 0');
    expect(samples.join()).not.toContain('file_processing_queue_depth{');
  });

  it('shows the other metrics while the database does not answer', async () => {
    const never = () => new Promise<never>(() => undefined);
    const metrics = createMetrics({ queueDepths: never, backlog: never, answerMs: 10 });
    const samples = await samplesOf(metrics);

    expect(samples).toContain('file_processing_http_requests_total{outcome="accepted"} 0');
    expect(samples.filter((line) => /^file_processing_(queue_depth|dead)/.test(line))).toEqual([]);
  });

  it('shows what waits for somebody, and nothing of what nobody counts', async () => {
    const backlog = async () => ({ ...BACKLOG, missingReports: undefined });
    const samples = await samplesOf(createMetrics({ backlog }));

    expect(samples).toEqual(
      expect.arrayContaining([
        'file_processing_dead_letters 1',
        'file_processing_dead_messages 2',
        'file_processing_unmonitored_files 4',
        'file_processing_late_deliveries 5',
        'file_processing_missing_deliveries 6',
        'file_processing_oldest_waiting_seconds 1.5',
      ]),
    );
    expect(samples.filter((line) => line.startsWith('file_processing_missing_reports'))).toEqual(
      [],
    );
  });

  it('asks the database once for all scrapes of some seconds', async () => {
    const backlog = vi.fn(async () => BACKLOG);
    const metrics = createMetrics({ backlog });
    await Promise.all([samplesOf(metrics), samplesOf(metrics)]);

    expect(await samplesOf(metrics)).toContain('file_processing_dead_messages 2');
    expect(backlog).toHaveBeenCalledTimes(1);
  });

  it('asks the database again once its answer is old', async () => {
    const backlog = vi.fn(async () => BACKLOG);
    const metrics = createMetrics({ backlog, keepMs: 0 });
    await samplesOf(metrics);
    backlog.mockResolvedValue({ ...BACKLOG, deadMessages: 7 });

    expect(await samplesOf(metrics)).toContain('file_processing_dead_messages 7');
  });

  it('shows no figure of the database while it is unavailable, and the figure afterwards', async () => {
    const backlog = vi.fn(async () => BACKLOG);
    const metrics = createMetrics({ backlog, keepMs: 0 });
    await samplesOf(metrics);
    backlog.mockRejectedValueOnce(new Error('away'));
    const samples = await samplesOf(metrics);

    expect(samples.filter((line) => line.startsWith('file_processing_dead_messages'))).toEqual([]);
    expect(await samplesOf(metrics)).toContain('file_processing_dead_messages 2');
  });

  it('keeps two sets apart', async () => {
    createMetrics().countRun('passed', 'none');

    expect(await samplesOf(createMetrics())).toContain(
      'file_processing_runs_total{verdict="passed",rules="none"} 0',
    );
  });
});

const { logger } = collectingLogger();
const { registry } = createMetrics();
const probed: { alive: boolean; unready: string | undefined } = { alive: true, unready: undefined };
const probes = { alive: async () => probed.alive, unready: async () => probed.unready };
let server: HttpServer;

beforeAll(async () => {
  server = await startMetricsServer(registry, logger, { port: 0, host: '127.0.0.1', probes });
});

afterAll(() => server.close(0));

function ask(path: string, method = 'GET'): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`, { method });
}

it('shows the buckets that are out, by what refuses', async () => {
  const { registry } = createMetrics({
    bucketOutages: () => [{ bucket: 'drop-box', way: 'read', outage: 'access' }],
  });

  expect(await registry.metrics()).toContain(
    'file_processing_bucket_outage{bucket="drop-box",way="read",outage="access"} 1',
  );
});

describe('the metrics server', () => {
  it('answers GET /metrics in the format of Prometheus', async () => {
    const response = await ask('/metrics');

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('# TYPE file_processing_runs_total counter');
  });

  it.each([
    ['/healthz', { alive: true, unready: 'it waits' }, 200],
    ['/healthz', { alive: false, unready: undefined }, 503],
    ['/readyz', { alive: false, unready: undefined }, 200],
    ['/readyz', { alive: true, unready: 'it waits' }, 503],
  ])('answers %s of a listener that is %o with %i', async (path, state, status) => {
    Object.assign(probed, state);

    expect((await ask(path)).status).toBe(status);
  });

  it('says why a listener takes no messages', async () => {
    Object.assign(probed, { unready: 'the listener waits for the database' });

    expect(await (await ask('/readyz')).json()).toEqual({
      status: 'unavailable',
      reason: 'the listener waits for the database',
    });
  });

  it.each(['/', '/healthz/', '/metrics/', '/metricsx'])('has nothing at %s', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });

  it('takes no POST', async () => {
    const response = await ask('/metrics', 'POST');

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it('names its own setting where the port is in use', async () => {
    await expect(
      startMetricsServer(registry, logger, { port: server.port, host: '127.0.0.1', probes }),
    ).rejects.toThrow(`METRICS_PORT ${server.port} is in use`);
  });
});
