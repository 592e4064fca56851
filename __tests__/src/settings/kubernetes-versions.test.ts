import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_KUBERNETES_VERSION,
  KNOWN_KUBERNETES_VERSIONS,
  minorOf,
  supportNotice,
} from '../../../src/settings/kubernetes-versions.ts';
import { ROOT } from '../../support/run-main.ts';

const on = (version: string, day: string) => supportNotice(version, new Date(`${day}T23:59:59Z`));

describe('the support of a Kubernetes version', () => {
  it('is nothing to speak of 91 days before its end', () => {
    expect(on('1.34', '2026-09-02')).toBeUndefined();
  });

  it.each([
    ['2026-09-03', 'in 90 days'],
    ['2026-12-01', 'in 1 day:'],
    ['2026-12-02', 'in 0 days'],
  ])('is warned about on %s: %s', (day, text) => {
    expect(on('1.34', day)).toMatchObject({ over: false });
    expect(on('1.34', day)?.message).toContain(text);
  });

  it.each([
    ['1.34', '2026-12-03', /billed by the hour and ends on 2027-12-02/],
    ['1.34', '2027-12-02', /billed by the hour/],
    ['1.34', '2027-12-03', /no longer supported by EKS since 2027-12-02/],
    ['1.32', '2026-11-28', /left the standard support of EKS on 2026-03-23/],
    ['1.33', '2026-11-28', /left the standard support of EKS on 2026-07-29/],
    ['1.35', '2027-03-28', /ends on 2028-03-27/],
  ])('of %s is over on %s', (version, day, message) => {
    expect(on(version, day)).toMatchObject({ over: true });
    expect(on(version, day)?.message).toMatch(message);
  });

  it.each(['1.22', '1.99', 'constructor', ''])('is not known of %j', (version) => {
    expect(on(version, '2030-01-01')).toBeUndefined();
  });
});

it('the default is among the known versions', () => {
  expect(KNOWN_KUBERNETES_VERSIONS).toContain(DEFAULT_KUBERNETES_VERSION);
});

it('the control plane that the tests build is of the default version', () => {
  const modules = readFileSync(join(ROOT, 'test-support/control-plane/kubernetes/go.mod'), 'utf8');
  expect(modules).toContain(`require k8s.io/kubernetes v${DEFAULT_KUBERNETES_VERSION}.`);
});

it('the minor version of a text that is not a version is not a number', () => {
  expect([minorOf('1.35'), minorOf('1.35.1'), minorOf('')]).toEqual([35, Number.NaN, Number.NaN]);
});
