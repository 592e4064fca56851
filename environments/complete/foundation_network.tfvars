# Every option of foundation-network turned on: an example, and a test.
aws_region  = "us-gov-west-1"
aws_profile = "etl-production"

account_id               = "123456789012"
permissions_boundary_arn = "arn:aws-us-gov:iam::123456789012:policy/etl-boundary"
iam_path                 = "/etl/"
iam_role_name_prefix     = "etl-"
fips_endpoints           = true

name_prefix = "etl-production"
tags = {
  CostCenter = "4711"
  Owner      = "etl@example.gov"
}

vpc_cidr             = "10.20.0.0/16"
availability_zones   = ["us-gov-west-1a", "us-gov-west-1b", "us-gov-west-1c"]
public_subnet_cidrs  = ["10.20.0.0/24", "10.20.1.0/24", "10.20.2.0/24"]
private_subnet_cidrs = ["10.20.64.0/19", "10.20.96.0/19", "10.20.128.0/19"]

nat_gateways = "per_zone"
interface_endpoints = [
  "autoscaling",
  "ec2",
  "ecr.api",
  "ecr.dkr",
  "eks",
  "elasticloadbalancing",
  "kms",
  "logs",
  "sqs",
  "sts",
]
# Without private DNS, since that would also capture the host of the signing certificates.
sns_interface_endpoint = true

flow_logs          = true
log_retention_days = 400

state_bucket      = "etl-production-terraform-state"
state_kms_key_arn = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/5b8e7f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"
