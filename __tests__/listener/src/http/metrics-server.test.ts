import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { startMetricsServer } from '../../../../listener/src/http/metrics-server.ts';
import type { HttpServer } from '../../../../listener/src/http/server.ts';
import { collectingLogger } from '../../support/sns-listener.ts';

const { logger } = collectingLogger();
const { registry } = createMetrics();
let server: HttpServer;

beforeAll(async () => {
  server = await startMetricsServer(registry, logger, { port: 0, host: '127.0.0.1' });
});

afterAll(() => server.close(0));

function ask(path: string, method = 'GET'): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`, { method });
}

describe('the metrics server', () => {
  it('answers GET /metrics in the format of Prometheus', async () => {
    const response = await ask('/metrics');

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('# TYPE file_processing_runs_total counter');
  });

  it.each(['/', '/healthz', '/metrics/', '/metricsx'])('has nothing at %s', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });

  it('takes no POST', async () => {
    const response = await ask('/metrics', 'POST');

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it('names its own setting where the port is in use', async () => {
    await expect(
      startMetricsServer(registry, logger, { port: server.port, host: '127.0.0.1' }),
    ).rejects.toThrow(`METRICS_PORT ${server.port} is in use`);
  });
});
