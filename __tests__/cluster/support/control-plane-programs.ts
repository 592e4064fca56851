import { join } from 'node:path';
import { controlPlaneFolder } from './binaries.ts';
import { SILENT_LABEL } from './fake-nodes.ts';

/** Where a control plane's programs find each other and their files. */
export interface Layout {
  /** Holds everything that is written. */
  readonly folder: string;
  readonly ports: {
    readonly etcd: number;
    readonly etcdPeer: number;
    readonly api: number;
  };
}

/** The files of a control plane. */
export function filesOf({ folder }: Pick<Layout, 'folder'>) {
  return {
    /** Written by the API server, for which it is its own authority. */
    certificateAuthority: join(folder, 'certificates/apiserver.crt'),
    kubeconfig: join(folder, 'kubeconfig.yaml'),
    /** Token, user, id and group of each account that signs in by a token. */
    tokens: join(folder, 'tokens.csv'),
    /** Private key that signs the tokens of ServiceAccounts. */
    serviceAccountKey: join(folder, 'service-account.key'),
    kwokStages: join(controlPlaneFolder, 'stages.yaml'),
  } as const;
}

/** `https://127.0.0.1:<port>` */
export function apiUrl({ ports }: Layout): string {
  return `https://127.0.0.1:${ports.api}`;
}

/** Parameters of etcd: it keeps nothing that anybody would miss. */
export function etcdParameters({ folder, ports }: Layout): string[] {
  const clients = `http://127.0.0.1:${ports.etcd}`;
  const peers = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    '--log-level=warn',
  ];
}

/** Parameters of kube-apiserver: the admission plugins and authorization that EKS has too. */
export function apiServerParameters(layout: Layout): string[] {
  const { folder, ports } = layout;
  const { tokens, serviceAccountKey } = filesOf(layout);
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${ports.api}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    `--token-auth-file=${tokens}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${serviceAccountKey}`,
    `--service-account-signing-key-file=${serviceAccountKey}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--anonymous-auth=false',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
    '--allow-privileged=true',
    // Pods on a node that is lost are evicted at once, not after five minutes.
    '--default-unreachable-toleration-seconds=1',
  ];
}

/**
 * Parameters of kube-controller-manager. The autoscaler looks every second, not every 15, and a node
 * stays Ready however late a busy machine lets kwok say so.
 */
export function controllerManagerParameters(layout: Layout): string[] {
  const { certificateAuthority, kubeconfig, serviceAccountKey } = filesOf(layout);
  return [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    `--root-ca-file=${certificateAuthority}`,
    `--service-account-private-key-file=${serviceAccountKey}`,
    '--horizontal-pod-autoscaler-sync-period=1s',
    '--node-monitor-grace-period=24h',
  ];
}

/** Parameters of kube-scheduler. */
export function schedulerParameters(layout: Layout): string[] {
  return [`--kubeconfig=${filesOf(layout).kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
}

/** Parameters of kwok, which plays the nodes and what a kubelet would do with pods. */
export function kwokParameters(layout: Layout): string[] {
  const { kubeconfig, kwokStages } = filesOf(layout);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--config=${kwokStages}`,
    '--manage-all-nodes=false',
    `--manage-nodes-with-label-selector=!${SILENT_LABEL}`,
    '--cidr=10.1.0.1/16',
    '--node-ip=127.0.0.1',
    '--node-port=0',
  ];
}
