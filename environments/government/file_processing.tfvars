# A government account as an example, and a test: roles below a boundary and a path, FIPS endpoints, a network
# that others made, a hardened image of the account's own, three buckets, and the database on demand.
aws_region  = "us-gov-west-1"
aws_profile = "etl-government"

account_id               = "123456789012"
trusted_accounts         = ["210987654321"]
permissions_boundary_arn = "arn:aws-us-gov:iam::123456789012:policy/agency-boundary"
iam_path                 = "/agency/etl/"
iam_role_name_prefix     = "agency-"
fips_endpoints           = true

# The network team's VPC; its subnets need a way to AWS, by NAT or by interface endpoints.
vpc_id             = "vpc-0a1b2c3d4e5f67890"
private_subnet_ids = ["subnet-0a1b2c3d4e5f67890", "subnet-1b2c3d4e5f67890a1"]

cluster_name                          = "etl-government"
kubernetes_version                    = "1.35"
cluster_endpoint_private_access_cidrs = ["10.40.0.0/24"]
cluster_admin_arns                    = ["arn:aws-us-gov:iam::123456789012:role/agency-etl-admin"]

# An AMI that the account has hardened by a STIG, made from Amazon Linux 2023.
ami_type            = "AL2023_x86_64_STANDARD"
ami_id              = "ami-0a1b2c3d4e5f67890"
node_instance_types = ["m6i.large"]
node_min_size       = 2
node_desired_size   = 2
node_max_size       = 6
volume_kms_key_arn  = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/2c8e7f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"

buckets = [
  {
    name                 = "agency-etl-drop"
    prefixes             = ["from_client/nm_albuquerque/", "from_client/tx_austin/"]
    suffix               = ".csv"
    kms_key_arn          = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"
    create_notifications = true
  },
  {
    name                 = "agency-etl-letters"
    prefixes             = ["from_letters/"]
    create_notifications = true
  },
  {
    # Its owner sets notification, policy and key: npm run manage -- s3-configure-notifications --print
    name       = "partner-etl-outbox"
    prefixes   = ["to_agency/"]
    account_id = "210987654321"
  },
]

sns_topic_name  = "etl-government"
delivery        = "sqs"
alarm_topic_arn = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call"

image = "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/file-processing@sha256:4b0bb1fcd3a2a6b7d6e1c8e6f9d8f2b1a7c4e5d60718293a4b5c6d7e8f901234"

# postgres_on_demand.tfvars beside this file.
database = "on_demand"

state_bucket      = "agency-terraform-state"
state_kms_key_arn = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/5b8e7f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"
