/** Last days on which EKS supports a Kubernetes version, as `YYYY-MM-DD`. */
interface SupportEnds {
  /** From the day after, the cluster is billed by the hour for extended support, or upgraded by EKS. */
  readonly standard: string;
  /** From the day after, EKS upgrades the control plane by itself. */
  readonly extended: string;
}

/**
 * The versions that we know EKS to offer (Amazon EKS User Guide, "Understand the Kubernetes version lifecycle
 * on EKS", release calendar); another one is a warning, since regions differ.
 */
const SUPPORT_ENDS: Readonly<Record<string, SupportEnds>> = {
  '1.32': { standard: '2026-03-23', extended: '2027-03-23' },
  '1.33': { standard: '2026-07-29', extended: '2027-07-29' },
  '1.34': { standard: '2026-12-02', extended: '2027-12-02' },
  '1.35': { standard: '2027-03-27', extended: '2028-03-27' },
};

/** The versions by name, oldest first. */
export const KNOWN_KUBERNETES_VERSIONS: readonly string[] = Object.keys(SUPPORT_ENDS);

/** What a new cluster gets where the tfvars name no version. */
export const DEFAULT_KUBERNETES_VERSION = '1.35';

/** How long before the end of standard support it is told. */
const DAYS_BEFORE = 90;
const DAY_MILLISECONDS = 86_400_000;

/** What there is to say of a version's support. */
export interface SupportNotice {
  /** Whether standard support is over; else it ends within 90 days. */
  readonly over: boolean;
  /** When that is; a sentence without its subject, the version. */
  readonly ends: string;
  /** The same with what follows, and what to do where the cluster is the stack's. */
  readonly message: string;
}

/**
 * What there is to say of a version's support on a day (UTC).
 *
 * @param version - such as `1.34`
 * @returns `undefined` while standard support lasts longer than 90 days, and for an unknown version
 */
export function supportNotice(version: string, now: Date): SupportNotice | undefined {
  const ends = Object.hasOwn(SUPPORT_ENDS, version) ? SUPPORT_ENDS[version] : undefined;
  if (ends === undefined) return undefined;
  const today = now.toISOString().slice(0, 10);
  if (today > ends.extended) {
    return notice(
      true,
      `is no longer supported by EKS since ${ends.extended}`,
      'EKS upgrades its control plane by itself',
    );
  }
  if (today > ends.standard) {
    return notice(
      true,
      `left the standard support of EKS on ${ends.standard}`,
      `extended support is billed by the hour and ends on ${ends.extended}`,
    );
  }
  const days = Math.round((Date.parse(ends.standard) - Date.parse(today)) / DAY_MILLISECONDS);
  if (days > DAYS_BEFORE) return undefined;
  return notice(
    false,
    `leaves the standard support of EKS on ${ends.standard}, in ${days} ${days === 1 ? 'day' : 'days'}`,
    'afterwards EKS bills extended support by the hour, or upgrades by itself with cluster_support_type = "STANDARD"',
  );
}

function notice(over: boolean, ends: string, what: string): SupportNotice {
  const upgrade = 'name the next minor version in kubernetes_version, one after the other';
  return { over, ends, message: `${ends}: ${what}; ${upgrade}` };
}

/** Number of the minor version: 34 of `1.34`; NaN for what is not a version. */
export function minorOf(version: string): number {
  return Number(/^1\.(\d+)$/.exec(version)?.[1]);
}
