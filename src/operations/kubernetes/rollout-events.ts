import { textTable } from '../text-table.ts';

/** An event (Kubernetes API, Event). */
export interface Event {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

const SHOWN = 5;

/** The newest warnings of a Deployment, its ReplicaSets and its pods, the newest last. */
export function warningsOf(events: readonly Event[], deployment: string): readonly Event[] {
  return events
    .filter(
      ({ type, involvedObject: { name } }) =>
        type === 'Warning' && (name === deployment || name.startsWith(`${deployment}-`)),
    )
    .toSorted((one, other) => (momentOf(one) < momentOf(other) ? -1 : 1))
    .slice(-SHOWN);
}

function momentOf({ lastTimestamp, eventTime }: Event): string {
  return lastTimestamp ?? eventTime ?? '';
}

/** Events as a table. */
export function eventTable(events: readonly Event[]): string {
  return textTable(
    events.map(({ involvedObject: { kind, name }, reason = '', message = '' }) => [
      `${kind.toLowerCase()}/${name}`,
      reason,
      message.replaceAll(/\s+/g, ' ').trim(),
    ]),
  );
}
