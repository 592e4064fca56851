import { parseCidr } from '../cidr.ts';

/** What {@link isDnsLabel} accepts, in words that complete "must be ...". */
export const DNS_LABEL =
  '1 to 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit';

/** Whether a text is a DNS label (RFC 1123). */
export const isDnsLabel = (value: string): boolean =>
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value);

/** What {@link isSchedule} accepts, in words that complete "must be ...". */
export const SCHEDULE =
  'the five fields of cron: minute (0-59), hour (0-23), day of the month (1-31), month (1-12), day of the week (0-6), each a *, a number, a range or a list, with a step behind a slash as needed';

const SCHEDULE_LIMITS = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const;

/** Whether a text is a schedule as a CronJob has it (Kubernetes documentation, "CronJob", "Schedule syntax"). */
export const isSchedule = (value: string): boolean => {
  const fields = value.split(' ');
  return (
    fields.length === SCHEDULE_LIMITS.length &&
    SCHEDULE_LIMITS.every(([min, max], index) =>
      (fields[index] ?? '').split(',').every((item) => {
        const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/[1-9]\d?)?$/.exec(item);
        const from = Number(match?.[1] ?? min);
        const to = Number(match?.[2] ?? from);
        return match !== null && min <= from && from <= to && to <= max;
      }),
    )
  );
};

/** Whether a text is the key of a label (Kubernetes documentation, "Labels and Selectors"). */
export const isLabelKey = (value: string): boolean => {
  const [name = '', prefix, ...others] = value.split('/').toReversed();
  return (
    others.length === 0 &&
    /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(name) &&
    (prefix === undefined ||
      (prefix.length <= 253 && prefix.split('.').every((part) => isDnsLabel(part))))
  );
};

/** Whether a text is a host name (RFC 1123) or an IPv4 address. */
export const isHostName = (value: string): boolean =>
  value.length <= 253 &&
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(value);

/** Whether a text is the address of a proxy: a host and a port, and nothing secret. */
export function isProxyAddress(value: string): boolean {
  const [, host = '', port] = /^https?:\/\/([^/:@?#]+):(\d{1,5})\/?$/i.exec(value) ?? [];
  return isHostName(host) && Number(port) >= 1 && Number(port) <= 65_535;
}

/** Whether a text is an IPv4 block other than the whole internet. */
export function isLimitedCidr(value: string): boolean {
  const cidr = parseCidr(value);
  return cidr !== undefined && cidr.prefix > 0;
}
