import { accountsIn, parseArn } from '@file-processing/contract/arn.ts';
import {
  firstZones,
  hasFipsEndpoints,
  isZoneOf,
  partitionOf,
} from '@file-processing/contract/partition.ts';
import { contains, overlap, parseCidr } from './cidr.ts';
import { OWN_TAGS } from './common-variables.ts';
import type { FoundationNetworkSettings } from './foundation-network-variables.ts';
import { canPlanSubnets, planSubnets, zoneCount } from './subnet-plan.ts';

/** A finding about variables that are each valid on their own; the first name is where it is reported. */
export interface CrossFinding<Name extends string> {
  /** Or a place inside it, such as `buckets[0].name`. */
  readonly variable: Name | `${Name}[${string}`;
  readonly message: string;
}

type NetworkVariable = keyof FoundationNetworkSettings & string;
type NetworkFinding = CrossFinding<NetworkVariable>;

/**
 * Runs checks between variables. One that reads a variable which is at fault by itself is left out: its value is
 * not what the file says.
 *
 * @param faulty - names of the variables at fault
 */
export function crossFindings<Settings extends object, Name extends string>(
  checks: readonly ((settings: Settings) => CrossFinding<Name>[])[],
  settings: Settings,
  faulty: ReadonlySet<string>,
): CrossFinding<Name>[] {
  const unread = new Error('a variable at fault was read');
  const valid = new Proxy(settings, {
    get(target, name) {
      if (faulty.has(String(name))) throw unread;
      return Reflect.get(target, name);
    },
  });
  return checks.flatMap((check) => {
    try {
      return check(valid);
    } catch (error) {
      if (error === unread) return [];
      throw error;
    }
  });
}

/** Faults between variables of `foundation_network.tfvars`, but for those of `faulty` ones. */
export function checkFoundationNetwork(
  settings: FoundationNetworkSettings,
  faulty: ReadonlySet<string> = new Set(),
): NetworkFinding[] {
  return crossFindings<FoundationNetworkSettings, NetworkVariable>(
    [
      checkZones,
      checkCidrs,
      checkEndpoints,
      checkFips,
      checkStateKey,
      checkTags,
      ...roleChecks<FoundationNetworkSettings>(({ name_prefix }) => `${name_prefix}-flow-logs`),
    ],
    settings,
    faulty,
  );
}

/** Faults of FIPS endpoints that AWS does not have: the provider calls them in one region, the backend in another. */
export function checkFips({
  aws_region,
  fips_endpoints,
  state_bucket,
  state_region,
}: FipsSettings): CrossFinding<'fips_endpoints'>[] {
  if (!fips_endpoints) return [];
  return Object.entries({ aws_region, ...(state_bucket !== '' && { state_region }) })
    .filter(([, region]) => region !== '' && !hasFipsEndpoints(region))
    .map(([name, region]) => ({
      variable: 'fips_endpoints',
      message: `must be false in ${name} ${region}: AWS has FIPS endpoints in the United States, GovCloud and Canada`,
    }));
}

interface FipsSettings {
  readonly aws_region: string;
  readonly fips_endpoints: boolean;
  readonly state_bucket: string;
  readonly state_region: string;
}

/**
 * Faults of ARNs in another partition or region than they must be in; what IAM has is in no region.
 *
 * @param setting - name of the setting that names the region
 * @param arns - with the places where they are reported; an empty one is none
 * @param anywhere - places whose ARNs may be of any region of the partition
 */
export function arnFaults<Place extends string>(
  setting: string,
  region: string,
  arns: readonly (readonly [place: Place, arn: string])[],
  anywhere: readonly string[] = [],
): { readonly variable: Place; readonly message: string }[] {
  const partition = partitionOf(region).name;
  return arns.flatMap(([variable, arn]) => {
    const found = parseArn(arn);
    if (found === undefined) return [];
    if (found.partition !== partition) {
      const message = `${arn} is in partition ${found.partition}; ${setting} ${region} is in ${partition}`;
      return [{ variable, message }];
    }
    const isThere = ['', region].includes(found.region) || anywhere.includes(variable);
    return isThere ? [] : [{ variable, message: `${arn} must be in ${setting} ${region}` }];
  });
}

/** Tags of IAM roles that differ in case alone are refused (IAM User Guide, "Rules for tagging in IAM and AWS STS"). */
export function checkTags({
  tags,
}: Pick<FoundationNetworkSettings, 'tags'>): CrossFinding<'tags'>[] {
  const first = new Map<string, string>(OWN_TAGS.map((key) => [key.toLowerCase(), key]));
  return Object.keys(tags).flatMap((key) => {
    const other = first.get(key.toLowerCase());
    if (other === undefined) first.set(key.toLowerCase(), key);
    if (other === undefined || other === key) return [];
    const message = `must not have ${key} beside ${other}${isOwnTag(other) ? ', which every resource has' : ''}: IAM does not tell upper from lower case in keys`;
    return [{ variable: 'tags', message }];
  });
}

function isOwnTag(key: string): boolean {
  return OWN_TAGS.some((own) => own === key);
}

/** A bucket takes keys of its own region alone; in a local file, the state is not encrypted at all. */
export function checkStateKey({
  aws_region,
  state_bucket,
  state_kms_key_arn,
  state_region,
}: StateSettings): CrossFinding<'state_kms_key_arn'>[] {
  if (state_kms_key_arn !== '' && state_bucket === '') {
    const message = 'must be empty without state_bucket: a local file is not encrypted';
    return [{ variable: 'state_kms_key_arn', message }];
  }
  const setting = state_region === '' ? 'aws_region' : 'state_region';
  return arnFaults(setting, state_region || aws_region, [['state_kms_key_arn', state_kms_key_arn]]);
}

interface StateSettings {
  readonly aws_region: string;
  readonly state_bucket: string;
  readonly state_kms_key_arn: string;
  readonly state_region: string;
}

/** IAM's limit for the name of a role ("IAM and AWS STS quotas"). */
const LONGEST_ROLE_NAME = 64;

/** What an account demands of every role, as far as it can be known at synth. */
interface RoleSettings {
  readonly aws_region: string;
  readonly account_id: string;
  readonly iam_role_name_prefix: string;
  readonly permissions_boundary_arn: string;
  readonly assume_role_arn: string;
  readonly assume_role_external_id: string;
  readonly state_role_arn: string;
  readonly state_bucket: string;
}

type RoleFinding = CrossFinding<keyof RoleSettings>;

/**
 * Checks of what an account demands of every role, one for each variable that may be at fault.
 *
 * @param longestName - the longest name of a role, before the prefix
 */
export function roleChecks<Settings extends RoleSettings>(
  longestName: (settings: Settings) => string,
): readonly ((settings: Settings) => RoleFinding[])[] {
  return [
    (settings) => checkRoleName(settings, longestName(settings)),
    checkBoundary,
    (settings) => checkRolePartition(settings, 'assume_role_arn'),
    (settings) => checkRolePartition(settings, 'state_role_arn'),
    checkRoleAccount,
    checkStateRole,
    checkExternalId,
  ];
}

function checkRoleName({ iam_role_name_prefix }: RoleSettings, longestName: string): RoleFinding[] {
  const name = `${iam_role_name_prefix}${longestName}`;
  if (name.length <= LONGEST_ROLE_NAME) return [];
  const message = `${iam_role_name_prefix} makes ${name}, a role's name of ${name.length} characters; must be at most ${LONGEST_ROLE_NAME}`;
  return [{ variable: 'iam_role_name_prefix', message }];
}

function checkBoundary({
  account_id,
  aws_region,
  permissions_boundary_arn,
}: RoleSettings): RoleFinding[] {
  const boundary = parseArn(permissions_boundary_arn);
  if (boundary === undefined) return [];
  const variable = 'permissions_boundary_arn' as const;
  const findings: RoleFinding[] = arnFaults('aws_region', aws_region, [
    [variable, permissions_boundary_arn],
  ]);
  if (account_id !== '' && !['aws', account_id].includes(boundary.account)) {
    findings.push({
      variable,
      message: `${permissions_boundary_arn} is in account ${boundary.account}, account_id is ${account_id}; a role takes a policy of its own account or of AWS`,
    });
  }
  return findings;
}

function checkRolePartition(
  settings: RoleSettings,
  variable: 'assume_role_arn' | 'state_role_arn',
): RoleFinding[] {
  return arnFaults('aws_region', settings.aws_region, [[variable, settings[variable]]]);
}

function checkRoleAccount({ account_id, assume_role_arn }: RoleSettings): RoleFinding[] {
  const account = parseArn(assume_role_arn)?.account;
  if (account === undefined || account_id === '' || account === account_id) return [];
  const message = `${assume_role_arn} is in account ${account}; the provider takes credentials of account_id ${account_id} alone`;
  return [{ variable: 'assume_role_arn', message }];
}

function checkStateRole({ state_bucket, state_role_arn }: RoleSettings): RoleFinding[] {
  if (state_role_arn === '' || state_bucket !== '') return [];
  const message = 'must be empty without state_bucket: a local file needs no role';
  return [{ variable: 'state_role_arn', message }];
}

function checkExternalId(settings: RoleSettings): RoleFinding[] {
  const { assume_role_arn, assume_role_external_id, state_role_arn } = settings;
  if (assume_role_external_id === '' || assume_role_arn !== '' || state_role_arn !== '') return [];
  const message = 'must be empty without assume_role_arn and state_role_arn';
  return [{ variable: 'assume_role_external_id', message }];
}

/** ARNs and registries of accounts that are neither the stack's own nor trusted; none where `account_id` names no own one. */
export function warnAccounts<Settings extends AccountSettings>(
  settings: Settings,
): CrossFinding<keyof Settings & string>[] {
  const { account_id, trusted_accounts } = settings;
  if (account_id === '') return [];
  return Object.entries(settings)
    .filter(([variable]) => variable !== 'trusted_accounts')
    .flatMap(([variable, value]) =>
      accountsIn(JSON.stringify(value))
        .filter((account) => account !== account_id && !trusted_accounts.includes(account))
        .map((account) => ({
          variable: variable as keyof Settings & string,
          message: `is of account ${account}, which is neither account_id ${account_id} nor in trusted_accounts`,
        })),
    );
}

interface AccountSettings {
  readonly account_id: string;
  readonly trusted_accounts: readonly string[];
}

function checkZones(settings: FoundationNetworkSettings): NetworkFinding[] {
  const { aws_region, availability_zones } = settings;
  const findings: NetworkFinding[] = availability_zones
    .filter((zone) => !isZoneOf(aws_region, zone))
    .map((zone) => ({
      variable: 'availability_zones',
      message: `${zone} is not a zone of aws_region ${aws_region}, such as ${firstZones(aws_region, 1)}`,
    }));
  const count = zoneCount(settings);
  for (const variable of ['public_subnet_cidrs', 'private_subnet_cidrs'] as const) {
    const given = settings[variable].length;
    if (given !== 0 && given !== count) {
      findings.push({
        variable,
        message: `has ${given} blocks for ${count} zones; must have one for each zone`,
      });
    }
  }
  const known = firstZones(aws_region, count).length;
  if (availability_zones.length === 0 && known < count) {
    findings.push({
      variable: 'availability_zones',
      message: `must be given: ${aws_region} has only ${known} zones that are known here, and ${count} are wanted`,
    });
  }
  return findings;
}

function checkCidrs(settings: FoundationNetworkSettings): NetworkFinding[] {
  const vpc = parseCidr(settings.vpc_cidr);
  if (vpc === undefined) return [];
  const planned =
    settings.public_subnet_cidrs.length === 0 || settings.private_subnet_cidrs.length === 0;
  if (planned && !canPlanSubnets(vpc, zoneCount(settings))) {
    return [
      {
        variable: 'vpc_cidr',
        message: `${settings.vpc_cidr} is too small to plan subnets in; must be /24 or larger, or give public_subnet_cidrs and private_subnet_cidrs`,
      },
    ];
  }
  const subnets = planSubnets(settings).flatMap(({ publicCidr, privateCidr }) => [
    { variable: 'public_subnet_cidrs' as const, text: publicCidr, cidr: parseCidr(publicCidr) },
    { variable: 'private_subnet_cidrs' as const, text: privateCidr, cidr: parseCidr(privateCidr) },
  ]);
  const findings: NetworkFinding[] = [];
  for (const [index, { variable, text, cidr }] of subnets.entries()) {
    if (cidr === undefined) continue;
    if (!contains(vpc, cidr)) {
      findings.push({ variable, message: `${text} is not inside vpc_cidr ${settings.vpc_cidr}` });
    }
    for (const other of subnets.slice(index + 1)) {
      if (other.cidr && overlap(cidr, other.cidr)) {
        findings.push({ variable, message: `${text} overlaps ${other.text} (${other.variable})` });
      }
    }
  }
  return findings;
}

/** AWS in China has no endpoint for it ("Getting Started with AWS Services in China", "Elastic Load Balancing"). */
function checkEndpoints(settings: FoundationNetworkSettings): NetworkFinding[] {
  const { aws_region, interface_endpoints } = settings;
  if (partitionOf(aws_region).name !== 'aws-cn') return [];
  return interface_endpoints
    .filter((service) => service === 'elasticloadbalancing')
    .map((service) => ({
      variable: 'interface_endpoints',
      message: `${service} has no endpoint in ${aws_region}; leave it out`,
    }));
}
