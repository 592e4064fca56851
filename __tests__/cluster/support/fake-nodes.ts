/** A node with this label is one that kwok does not play: whoever makes it says what becomes of it. */
export const SILENT_LABEL = 'file-processing.test/silent';

/**
 * A node that kwok plays: big enough for every pod of a test run.
 *
 * @param isSilent kwok does not play it: it is Ready, and says nothing more @default false
 */
export function fakeNode(name: string, zone: string, isSilent = false): object {
  const resources = { cpu: '32', memory: '128Gi', 'ephemeral-storage': '512Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'topology.kubernetes.io/zone': zone,
        ...(isSilent && { [SILENT_LABEL]: 'true' }),
      },
    },
    status: {
      ...{ allocatable: resources, capacity: resources },
      ...(isSilent && { conditions: [readyCondition('True')] }),
    },
  };
}

/** What a kubelet says of its node, and, as Unknown, the node controller of one that says nothing. */
export function readyCondition(status: 'True' | 'Unknown'): object {
  const at = new Date().toISOString();
  return { type: 'Ready', status, reason: 'Played', lastTransitionTime: at, lastHeartbeatTime: at };
}
