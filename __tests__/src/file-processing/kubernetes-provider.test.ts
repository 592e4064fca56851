import { describe, expect, it } from 'vitest';
import {
  synthesizeFileProcessing,
  synthesizeText,
} from '../../support/synthesized-file-processing.ts';

describe('The Kubernetes provider', () => {
  const text = synthesizeText({ cluster_name: 'city' });

  it("reaches the cluster by the cluster's own attributes", () => {
    expect(text).toHaveProviderNamed('kubernetes', {
      host: '${aws_eks_cluster.this.endpoint}',
      cluster_ca_certificate: '${base64decode(aws_eks_cluster.this.certificate_authority[0].data)}',
    });
  });

  it('reaches a cluster of others by a lookup with its name', () => {
    const existing = synthesizeText({ create_cluster: false, cluster_name: 'shared' });
    expect(existing).toHaveProviderNamed('kubernetes', {
      host: '${data.aws_eks_cluster.existing.endpoint}',
      cluster_ca_certificate:
        '${base64decode(data.aws_eks_cluster.existing.certificate_authority[0].data)}',
    });
    expect(JSON.parse(existing)).toHaveProperty('data.aws_eks_cluster.existing', {
      name: 'shared',
    });
  });

  it('asks the AWS CLI for a token at each run, with region, and profile if there is one', () => {
    expect(text).toHaveProviderNamed('kubernetes', {
      exec: [
        {
          api_version: 'client.authentication.k8s.io/v1beta1',
          command: 'aws',
          args: '${concat(["eks","get-token","--output","json","--cluster-name","city","--region","us-gov-west-1"], var.aws_profile == "" ? [] : ["--profile", var.aws_profile])}',
        },
      ],
    });
  });

  it('signs in as the role that the AWS provider assumes', () => {
    const role = 'arn:aws-us-gov:iam::123456789012:role/etl-deploy';
    const assumed = synthesizeText({ assume_role_arn: role });
    expect(assumed).toHaveProviderNamed('aws', { assume_role: [{ role_arn: role }] });
    expect(assumed).toHaveProviderNamed('kubernetes', {
      exec: [expect.objectContaining({ args: expect.stringContaining(`"--role-arn","${role}"`) })],
    });
    expect(JSON.parse(assumed).output.kubeconfig_command.value).toContain(` --role-arn ${role}`);
  });

  it('has no token in its configuration', () => {
    expect(text).not.toHaveProviderNamed('kubernetes', { token: expect.anything() });
  });

  it('may be any later one of the same major version', () => {
    expect(JSON.parse(text)).toHaveProperty('terraform.required_providers.kubernetes', {
      source: 'hashicorp/kubernetes',
      version: '~> 2.38',
    });
  });
});

describe('The Kubernetes provider of a stack without Kubernetes objects', () => {
  const json = synthesizeFileProcessing({ manage_kubernetes: false });

  it('is neither configured nor required', () => {
    expect(json.provider).not.toHaveProperty('kubernetes');
    expect(json.terraform).not.toHaveProperty('required_providers.kubernetes');
    expect(json.terraform).toHaveProperty('required_providers.aws');
  });
});
