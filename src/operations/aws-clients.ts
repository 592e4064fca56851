import { Agent, type AgentOptions } from 'node:https';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { ECRClient } from '@aws-sdk/client-ecr';
import type { EKSClient } from '@aws-sdk/client-eks';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { RDSClient } from '@aws-sdk/client-rds';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SESv2Client } from '@aws-sdk/client-sesv2';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { STSClient } from '@aws-sdk/client-sts';

/** Clients of the AWS SDK, each loaded when it is first asked for. */
export interface AwsClients {
  readonly ec2: () => Promise<EC2Client>;
  readonly ecr: () => Promise<ECRClient>;
  readonly eks: () => Promise<EKSClient>;
  readonly iam: () => Promise<IAMClient>;
  readonly rds: () => Promise<RDSClient>;
  readonly s3: () => Promise<S3Client>;
  readonly sesv2: () => Promise<SESv2Client>;
  readonly sns: () => Promise<SNSClient>;
  readonly sqs: () => Promise<SQSClient>;
  readonly sts: () => Promise<STSClient>;
}

/** A role that credentials assume. */
export interface AssumedRole {
  readonly arn: string;
  /** Empty for none. */
  readonly externalId: string;
}

/** Where the clients of a command call. */
export interface AwsTarget {
  readonly region: string;
  /** Empty takes the ambient credentials. */
  readonly profile: string;
  /** Another endpoint for every service, as LocalStack's. @default AWS_ENDPOINT_URL, else AWS itself */
  readonly endpoint?: string;
  /** Fixed credentials, as LocalStack takes any. @default those of the profile or the environment */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Role that the credentials assume first. @default none */
  readonly assumeRole?: AssumedRole;
  /** Call the FIPS endpoints, unless the endpoint is another. @default false */
  readonly fips?: boolean;
  /** Take a certificate that nobody vouches for, as LocalStack's own. @default false */
  readonly anyCertificate?: boolean;
}

/** The clients for a target. */
export function awsClients(target: AwsTarget): AwsClients {
  const { assumeRole, ...own } = target;
  const configuration = configurationOf(own);
  if (assumeRole === undefined) return clientsOf(configuration);
  const { sts } = clientsOf(configuration);
  // The SDK asks again shortly before they expire.
  const credentials = async () => roleCredentials(await sts(), assumeRole);
  return clientsOf({ ...configuration, credentials });
}

/** Temporary credentials of a role. */
export async function roleCredentials(sts: STSClient, { arn, externalId }: AssumedRole) {
  const { AssumeRoleCommand } = await import('@aws-sdk/client-sts');
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({
      RoleArn: arn,
      RoleSessionName: 'file-processing-manage',
      ...(externalId !== '' && { ExternalId: externalId }),
    }),
  );
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
    ...(Credentials?.Expiration && { expiration: Credentials.Expiration }),
  };
}

type Credentials = NonNullable<AwsTarget['credentials']>;

interface Configuration {
  readonly region: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly credentials?: Credentials | (() => Promise<Credentials>);
  readonly useFipsEndpoint?: boolean;
  readonly requestHandler: { readonly httpsAgent: ReturnType<typeof httpsAgent> };
}

function configurationOf(target: AwsTarget): Configuration {
  const { region, profile, endpoint, credentials, anyCertificate = false, fips = false } = target;
  return {
    region,
    ...(profile === '' ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(fips && endpoint === undefined && !process.env.AWS_ENDPOINT_URL
      ? { useFipsEndpoint: true }
      : {}),
    requestHandler: { httpsAgent: httpsAgent(anyCertificate) },
  };
}

function clientsOf(configuration: Configuration): AwsClients {
  const { endpoint } = configuration;
  return {
    ec2: async () => new (await import('@aws-sdk/client-ec2')).EC2Client(configuration),
    ecr: async () => new (await import('@aws-sdk/client-ecr')).ECRClient(configuration),
    eks: async () => new (await import('@aws-sdk/client-eks')).EKSClient(configuration),
    iam: async () => new (await import('@aws-sdk/client-iam')).IAMClient(configuration),
    rds: async () => new (await import('@aws-sdk/client-rds')).RDSClient(configuration),
    // LocalStack and moto serve buckets by path only; AWS serves both.
    s3: async () =>
      new (await import('@aws-sdk/client-s3')).S3Client({
        ...configuration,
        forcePathStyle: endpoint !== undefined || process.env.AWS_ENDPOINT_URL !== undefined,
      }),
    sesv2: async () => new (await import('@aws-sdk/client-sesv2')).SESv2Client(configuration),
    sns: async () => new (await import('@aws-sdk/client-sns')).SNSClient(configuration),
    sqs: async () => new (await import('@aws-sdk/client-sqs')).SQSClient(configuration),
    sts: async () => new (await import('@aws-sdk/client-sts')).STSClient(configuration),
  };
}

/**
 * The SDK's own agent knows no proxy; this one goes through that of HTTPS_PROXY, but for NO_PROXY, as Terraform does.
 * An emulator speaks http, and so is called as it is.
 */
function httpsAgent(anyCertificate: boolean): Agent {
  // The type of the option is younger than ours; the other two are what the SDK gives its own agent.
  const options: AgentOptions & { readonly proxyEnv: NodeJS.ProcessEnv } = {
    keepAlive: true,
    maxSockets: 50,
    proxyEnv: process.env,
  };
  return new Agent({ ...options, ...(anyCertificate && { rejectUnauthorized: false }) });
}
