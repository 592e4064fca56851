import { describe, expect, it } from 'vitest';
import { nodeUserData } from '../../../src/policies/node-user-data.ts';

const CLUSTER = {
  name: 'etl',
  endpoint: 'https://api.example.gov',
  certificateAuthority: 'Q0E=',
  serviceCidr: '172.20.0.0/16',
};
const OWN = { cluster: CLUSTER, labels: {}, taints: [] };
const LABELLED = {
  cluster: CLUSTER,
  labels: { team: 'etl', kind: 'spot' },
  taints: [
    { key: 'batch', value: 'true', effect: 'NoSchedule' },
    { key: 'batch', value: 'true', effect: 'NoExecute' },
  ],
};

describe('user data of Amazon Linux 2023', () => {
  it('is none where nothing is to be said: EKS tells its own images all', () => {
    expect(nodeUserData({ family: 'AL2023', custom: '' })).toBeUndefined();
  });

  it('tells an image of your own its cluster', () => {
    expect(nodeUserData({ family: 'AL2023', custom: '', own: OWN })).toBe(`MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="==file-processing-node=="

--==file-processing-node==
Content-Type: application/node.eks.aws

---
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster:
    name: etl
    apiServerEndpoint: https://api.example.gov
    certificateAuthority: Q0E=
    cidr: 172.20.0.0/16

--==file-processing-node==--
`);
  });

  it('has the labels and taints of its group, which EKS tells its own images alone', () => {
    expect(nodeUserData({ family: 'AL2023', custom: '', own: LABELLED })).toContain(`
  kubelet:
    flags:
      - "--node-labels=team=etl,kind=spot"
      - "--register-with-taints=batch=true:NoSchedule,batch=true:NoExecute"
`);
  });

  it('has the NodeConfig of the operator before ours, whose cluster counts', () => {
    const custom = 'apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n';
    const text = nodeUserData({ family: 'AL2023', custom, own: OWN }) ?? '';
    expect(text.split('Content-Type: application/node.eks.aws')).toHaveLength(3);
    expect(text.indexOf(custom)).toBeLessThan(text.indexOf('certificateAuthority'));
  });

  it('has the script of the operator as a part of its own', () => {
    expect(nodeUserData({ family: 'AL2023', custom: '#!/bin/sh\nexit 0\n' })).toContain(
      'Content-Type: text/x-shellscript; charset="us-ascii"\n\n#!/bin/sh\nexit 0\n',
    );
  });
});

describe('user data of Bottlerocket', () => {
  it('is that of the operator alone for an image of EKS', () => {
    const custom = '[settings.kernel]\nlockdown = "integrity"';
    expect(nodeUserData({ family: 'BOTTLEROCKET', custom })).toBe(`${custom}\n`);
  });

  it('tells an image of your own its cluster', () => {
    expect(
      nodeUserData({ family: 'BOTTLEROCKET', custom: '', own: OWN }),
    ).toBe(`[settings.kubernetes]
cluster-name = "etl"
api-server = "https://api.example.gov"
cluster-certificate = "Q0E="
`);
  });

  it('says so in the table of the operator, since TOML takes each once', () => {
    const custom = '[settings.kubernetes]\nmax-pods = 50\n[settings.kernel]\nlockdown = "none"\n';
    const text = nodeUserData({ family: 'BOTTLEROCKET', custom, own: OWN }) ?? '';
    expect(text.split('[settings.kubernetes]')).toHaveLength(2);
    expect(text).toMatch(/cluster-certificate = "Q0E="\nmax-pods = 50\n\[settings\.kernel\]/);
  });

  it('adds a table to those of the operator', () => {
    const custom = '[settings.kernel]\nlockdown = "none"\n';
    expect(nodeUserData({ family: 'BOTTLEROCKET', custom, own: OWN })).toMatch(
      /lockdown = "none"\n\n\[settings\.kubernetes\]\ncluster-name/,
    );
  });

  it('has labels and taints in tables of their own, those of one key together', () => {
    const text = nodeUserData({ family: 'BOTTLEROCKET', custom: '', own: LABELLED });
    expect(text).toContain('[settings.kubernetes.node-labels]\n"team" = "etl"\n"kind" = "spot"\n');
    expect(text).toContain(
      '[settings.kubernetes.node-taints]\n"batch" = ["true:NoSchedule", "true:NoExecute"]\n',
    );
  });
});

describe('the proxy of nodes', () => {
  const proxy = { url: 'http://proxy.example.gov:3128', exempt: ['localhost', '.example.gov'] };

  it('is the environment of every service of Amazon Linux, before what the operator says', () => {
    const custom = 'apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n';
    const text = nodeUserData({ family: 'AL2023', custom, proxy }) ?? '';
    expect(text).toContain(`spec:
  instance:
    environment:
      default:
        HTTP_PROXY: "http://proxy.example.gov:3128"
        HTTPS_PROXY: "http://proxy.example.gov:3128"
        NO_PROXY: "localhost,.example.gov"
`);
    expect(text.lastIndexOf('environment:')).toBeLessThan(text.lastIndexOf(custom));
    expect(nodeUserData({ family: 'AL2023', custom: '', proxy })).toContain('HTTPS_PROXY');
  });

  it('is in the network settings of Bottlerocket, in the table of the operator where there is one', () => {
    const keys =
      'https-proxy = "http://proxy.example.gov:3128"\nno-proxy = ["localhost", ".example.gov"]\n';
    const network = `[settings.network]\n${keys}`;
    expect(nodeUserData({ family: 'BOTTLEROCKET', custom: '', proxy })).toBe(network);
    const custom = '[settings.network]\nhostname = "a"\n';
    expect(nodeUserData({ family: 'BOTTLEROCKET', custom, proxy })).toBe(
      `${network}hostname = "a"\n`,
    );
    expect(nodeUserData({ family: 'BOTTLEROCKET', custom: '', proxy, own: OWN })).toMatch(
      /no-proxy = .*\n\n\[settings\.kubernetes\]\ncluster-name/,
    );
  });
});
