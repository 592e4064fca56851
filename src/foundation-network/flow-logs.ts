import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { DataAwsCallerIdentity } from '@cdktf/provider-aws/lib/data-aws-caller-identity/index.js';
import { FlowLog } from '@cdktf/provider-aws/lib/flow-log/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { KmsAlias } from '@cdktf/provider-aws/lib/kms-alias/index.js';
import { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js';
import type { Vpc } from '@cdktf/provider-aws/lib/vpc/index.js';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { Construct } from 'constructs';
import { flowLogsOf, writeFlowLogs } from '../policies/flow-log-policies.ts';
import { accountAdministersKey, type KeyScope, logsUseKey } from '../policies/key-policies.ts';
import { policyJson } from '../policies/policy-document.ts';
import { trustServiceFor } from '../policies/trust-policies.ts';
import type { FoundationNetworkSettings } from '../settings/foundation-network-variables.ts';
import { roleIdentity } from '../stack/role-identity.ts';

/** Service principal of flow logs, the same in every partition. */
const FLOW_LOGS_SERVICE = 'vpc-flow-logs.amazonaws.com';

/** The shorter of the two intervals that AWS offers. */
const AGGREGATION_SECONDS = 60;

/** Flow logs of all traffic of the VPC, in a log group that is encrypted with a key of its own. */
export class FlowLogs extends Construct {
  constructor(scope: Construct, id: string, vpc: Vpc, settings: FoundationNetworkSettings) {
    super(scope, id);
    const { aws_region: region, name_prefix } = settings;
    const account = new DataAwsCallerIdentity(this, 'current').accountId;
    const owner: KeyScope = { partition: partitionOf(region), region, account };
    const logGroupName = `/aws/vpc/flow-logs/${name_prefix}`;

    const logGroup = new CloudwatchLogGroup(this, 'vpc_flow_logs', {
      name: logGroupName,
      retentionInDays: settings.log_retention_days,
      kmsKeyId: this.#addKey(owner, logGroupName, settings).arn,
    });

    const role = new IamRole(this, 'flow_logs_writer', {
      ...roleIdentity(settings, `${name_prefix}-flow-logs`),
      description: `Writes the flow logs of ${name_prefix}-vpc`,
      assumeRolePolicy: policyJson(trustServiceFor(FLOW_LOGS_SERVICE, account, flowLogsOf(owner))),
    });
    const rolePolicy = new IamRolePolicy(this, 'write_flow_logs', {
      name: 'write-flow-logs',
      role: role.id,
      policy: policyJson(writeFlowLogs({ ...owner, name: logGroupName })),
    });

    new FlowLog(this, 'vpc', {
      vpcId: vpc.id,
      trafficType: 'ALL',
      maxAggregationInterval: AGGREGATION_SECONDS,
      logDestinationType: 'cloud-watch-logs',
      logDestination: logGroup.arn,
      iamRoleArn: role.arn,
      tags: { Name: `${name_prefix}-vpc` },
      dependsOn: [rolePolicy],
    });
  }

  #addKey(owner: KeyScope, logGroupName: string, settings: FoundationNetworkSettings): KmsKey {
    const { name_prefix } = settings;
    const key = new KmsKey(this, 'flow_logs', {
      description: `Flow logs of ${name_prefix}-vpc`,
      enableKeyRotation: true,
      deletionWindowInDays: settings.kms_deletion_window_days,
      policy: policyJson([accountAdministersKey(owner), logsUseKey(owner, [logGroupName])]),
    });
    new KmsAlias(this, 'flow_logs_key', {
      name: `alias/${name_prefix}-flow-logs`,
      targetKeyId: key.keyId,
    });
    return key;
  }
}
