import { describe, expect, it } from 'vitest';
import { synthesizeFileProcessing } from '../../../support/synthesized-file-processing.ts';
import { DATABASE, synthesizeWorkload } from '../../../support/synthesized-workload.ts';

const { resources } = synthesizeWorkload(DATABASE);
const secret = resources['kubernetes_secret_v1.database'];

describe('createDatabaseSecret', () => {
  it('writes the password by the write-only argument alone', () => {
    expect(secret).toHaveProperty('data_wo', { DB_PASSWORD: '${var.db_password}' });
    expect(secret).not.toHaveProperty('data');
  });

  it('has a revision, without which the provider would write nothing', () => {
    expect(secret).toHaveProperty('data_wo_revision', '${var.db_password_revision}');
  });

  it('refuses a plan without a password, and says how to give one', () => {
    expect(secret).toHaveProperty('lifecycle.precondition', [
      {
        condition: '${try(length(var.db_password) > 0, false)}',
        error_message: expect.stringContaining('TF_VAR_db_password'),
      },
    ]);
  });

  it('has the name that the pods mount', () => {
    expect(secret).toHaveProperty('metadata.name', 'file-processing-secrets');
  });

  it.each([
    ['file-processing-secrets', true],
    ['etl-database', false],
    ['', false],
  ])('stays when others take over the one of this name: "%s"', (existing_secret_name, stays) => {
    const { removed = [] } = synthesizeFileProcessing({ ...DATABASE, existing_secret_name });
    expect(removed.map(({ from }) => from).includes('kubernetes_secret_v1.database')).toBe(stays);
  });

  it('has one of its own for the headers of the collector, which all mount who send traces, Jobs as well', () => {
    const { resources: objects, customObjects = [] } = synthesizeWorkload({
      ...{ otlp_endpoint: 'https://otlp.example.gov', otlp_headers_revision: 3 },
      job_runner: 'auto',
    });
    const name = 'file-processing-collector';
    expect(objects['kubernetes_secret_v1.collector']).toMatchObject({
      metadata: { name },
      data_wo: { OTEL_EXPORTER_OTLP_HEADERS: '${var.otlp_headers}' },
      data_wo_revision: '${var.otlp_headers_revision}',
      lifecycle: {
        precondition: [{ error_message: expect.stringContaining('TF_VAR_otlp_headers') }],
      },
    });
    expect(objects['kubernetes_deployment_v1.sns_listener']).toMatchObject({
      spec: {
        template: {
          metadata: {
            annotations: {
              'file-processing/collector-secret-revision': '${var.otlp_headers_revision}',
            },
          },
          spec: {
            volume: expect.arrayContaining([expect.objectContaining({ name: 'collector' })]),
          },
        },
      },
    });
    const { data } = objects['kubernetes_config_map_v1.jobs'] as {
      readonly data: { readonly 'template.json': string };
    };
    const { job } = JSON.parse(data['template.json']);
    const { containers, volumes } = job.spec.template.spec;
    const volume = { name: 'collector', secret: { secretName: name, defaultMode: 0o440 } };
    expect(volumes).toContainEqual(volume);
    expect(containers[0].volumeMounts).toContainEqual({
      ...{ name: 'collector', mountPath: '/etc/file-processing/collector', readOnly: true },
    });
    const [policy] = customObjects;
    expect(JSON.stringify(policy)).toContain(name);
  });
});
