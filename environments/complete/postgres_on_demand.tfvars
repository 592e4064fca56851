# The database of postgres-on-demand with every option turned on that goes together: an example, and a test.
# file_processing.tfvars beside it keeps a database of its own; database = "on_demand" there takes this one.
aws_region  = "us-gov-west-1"
aws_profile = "etl-production"

account_id               = "123456789012"
permissions_boundary_arn = "arn:aws-us-gov:iam::123456789012:policy/etl-boundary"
iam_path                 = "/etl/"
iam_role_name_prefix     = "etl-"
fips_endpoints           = true

foundation_name_prefix = "etl-production"
tags = {
  CostCenter = "4711"
  Owner      = "etl@example.gov"
}

identifier        = "etl-production"
engine            = "aurora"
engine_version    = "17"
min_capacity_acu  = 0.5
max_capacity_acu  = 16
multi_az          = true
db_name           = "etl_db"
db_port           = 5432

backup_retention_days     = 35
backup_window             = "03:00-04:00"
maintenance_window        = "sun:05:00-sun:06:00"
deletion_protection       = true
final_snapshot_identifier = "etl-production-final"

monitoring_interval_seconds = 15
alarm_topic_arn             = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call"
alarm_connections           = 400

log_retention_days = 400
state_bucket       = "etl-production-terraform-state"
state_kms_key_arn  = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/5b8e7f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"
