const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/**
 * A quantity as a number: CPUs, or bytes (Kubernetes documentation, "Resource Management for Pods
 * and Containers").
 *
 * @returns undefined for what is no quantity, such as an expression
 */
export function quantity(text: string | number | undefined): number | undefined {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(String(text ?? '')) ?? [];
  const factor = SUFFIXES[suffix];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** How a number that may be a percentage is rounded to pods. */
export type Rounding = 'up' | 'down';

/**
 * A number of pods: given as a number, or as a percentage of all.
 *
 * @returns undefined for what is neither, such as an expression
 */
export function podCount(
  value: string | number | undefined,
  all: number,
  rounding: Rounding,
): number | undefined {
  const [, digits, percent] = /^(\d+)(%?)$/.exec(String(value ?? '')) ?? [];
  if (digits === undefined) return undefined;
  if (percent === '') return Number(digits);
  const pods = (Number(digits) / 100) * all;
  return rounding === 'up' ? Math.ceil(pods) : Math.floor(pods);
}
