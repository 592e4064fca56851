import type { PolicyStatement } from './policy-document.ts';

/**
 * Allows the Cluster Autoscaler to look at all groups, which AWS can't narrow down, and to change those of one
 * cluster, which EKS has tagged (Cluster Autoscaler, "IAM Policy"; Amazon EKS User Guide, "Managed node groups").
 */
export function scaleNodes(clusterName: string, nodeGroupsArn: string): readonly PolicyStatement[] {
  return [
    {
      Sid: 'LookAtGroups',
      Effect: 'Allow',
      Action: [
        'autoscaling:DescribeAutoScalingGroups',
        'autoscaling:DescribeAutoScalingInstances',
        'autoscaling:DescribeLaunchConfigurations',
        'autoscaling:DescribeScalingActivities',
        'autoscaling:DescribeTags',
        'ec2:DescribeImages',
        'ec2:DescribeInstanceTypes',
        'ec2:DescribeLaunchTemplateVersions',
        'ec2:GetInstanceTypesFromInstanceRequirements',
      ],
      Resource: '*',
    },
    {
      Sid: 'LookAtNodeGroups',
      Effect: 'Allow',
      Action: 'eks:DescribeNodegroup',
      Resource: nodeGroupsArn,
    },
    {
      Sid: 'ScaleGroups',
      Effect: 'Allow',
      Action: ['autoscaling:SetDesiredCapacity', 'autoscaling:TerminateInstanceInAutoScalingGroup'],
      Resource: '*',
      Condition: {
        StringEquals: { [`aws:ResourceTag/k8s.io/cluster-autoscaler/${clusterName}`]: 'owned' },
      },
    },
  ];
}
