/** A node that kwok plays: big enough for every pod of a test run. */
export function fakeNode(name: string, zone: string): object {
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
      },
    },
    status: { allocatable: resources, capacity: resources },
  };
}
