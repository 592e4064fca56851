# The database of file-processing, in the same account and network.
aws_region  = "us-gov-west-1"
aws_profile = "etl-government"

account_id               = "123456789012"
trusted_accounts         = ["210987654321"]
permissions_boundary_arn = "arn:aws-us-gov:iam::123456789012:policy/agency-boundary"
iam_path                 = "/agency/etl/"
iam_role_name_prefix     = "agency-"
fips_endpoints           = true

vpc_id             = "vpc-0a1b2c3d4e5f67890"
private_subnet_ids = ["subnet-0a1b2c3d4e5f67890", "subnet-1b2c3d4e5f67890a1"]

identifier      = "etl-government"
engine          = "rds"
multi_az        = true
alarm_topic_arn = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call"

state_bucket      = "agency-terraform-state"
state_kms_key_arn = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/5b8e7f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"
