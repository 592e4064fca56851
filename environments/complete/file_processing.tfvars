# Every option of file-processing turned on that goes together: an example, and a test.
# What excludes it and so is left out: delivery = "sqs", an Ingress, an OIDC provider or a Secret of
# others, IAM authentication of the database.
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

cluster_name                          = "file-processing-prod"
kubernetes_version                    = "1.35"
cluster_support_type                  = "STANDARD"
addon_versions                        = { vpc-cni = "v1.20.4-eksbuild.2" }
cluster_endpoint_public_access_cidrs  = ["203.0.113.0/24"]
cluster_endpoint_private_access_cidrs = ["10.20.0.0/24"]
cluster_admin_arns = [
  "arn:aws-us-gov:iam::123456789012:role/etl-admin",
  "arn:aws-us-gov:iam::123456789012:role/etl-deploy",
]

node_group_name     = "file-processing-nodes"
node_instance_types = ["m6i.large", "m5.large"]
node_min_size       = 3
node_desired_size   = 3
node_max_size       = 9
node_disk_size_gib  = 100
volume_kms_key_arn  = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/7c9e8f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"
# For debugging only; the warning stays until it is gone.
node_s3_access = true

oidc_thumbprint = "0201a9f54320c2145814a507d7a3880c726eacd7"

bucket_name             = "etl-ba-research-client-etl-prod"
bucket_kms_key_arn      = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"
s3_prefixes             = ["from_client/nm_albuquerque/", "from_client/tx_austin/"]
s3_suffix               = ".csv"
report_prefix           = "data_quality_reports/"
create_s3_notifications = true
# What rules may have done with a file by its verdict: tag it, and copy it to accepted/ or rejected/ below this folder.
routing_tags    = true
routing_targets = [{ bucket = "etl-ba-research-client-etl-prod", prefix = "checked/" }]
forget_reports  = true

sns_topic_name                   = "file-processing-topic-prod"
delivery                         = "http"
sns_endpoint_url                 = "https://files.example.gov/"
sns_retry_min_delay_seconds      = 5
sns_retry_max_delay_seconds      = 60
sns_retries                      = 65
sns_max_receives_per_second      = 200
sns_confirmation_timeout_minutes = 10
alarm_topic_arn                  = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call"

create_repository      = true
repository_name        = "etl/file-processing"
repository_keep_images = 50
image                  = "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/etl/file-processing@sha256:4b0bb1fcd3a2a6b7d6e1c8e6f9d8f2b1a7c4e5d60718293a4b5c6d7e8f901234"

namespace            = "file-processing"
service_account_name = "file-processing-sa"
annotations = {
  team = "etl"
}
replicas            = 3
max_replicas        = 12
target_cpu_percent  = 60
cpu_request         = "500m"
memory_limit        = "1Gi"
scratch_limit       = "4Gi"
worker_concurrency  = 4
sns_max_age_seconds = 86400
log_level           = "info"
image_pull_secrets  = ["registry-credentials"]
extra_environment = {
  TZ = "America/Denver"
}
http_proxy = "http://proxy.example.gov:3128"
no_proxy   = [".s3.us-gov-west-1.amazonaws.com"]

# Who is told when a file is rejected or does not come. Others make the Secret: it has NOTICE_WEBHOOK_SECRETS.
notice_email        = "ses"
notice_email_from   = "data-quality@etl.example.gov"
notice_ses_identity = "example.gov"
notice_operators    = ["data-team@example.gov"]
notice_webhook_urls = ["https://tickets.example.gov:8443/hooks/data-quality"]
notice_secret_name  = "file-processing-notices"

# Large files are judged by Jobs of their own. Traces go to a collector in the cluster, and the Prometheus operator scrapes the pods.
job_runner     = "auto"
job_size_bytes = 2147483648
job_limit      = 10
otlp_endpoint  = "http://collector.observability.svc:4318"
trace_percent  = 10
pod_monitor    = true

tls_certificate_arn = "arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"
access_logs_bucket  = "etl-production-access-logs"
# Made by the AWS Load Balancer Controller, which the cluster must have.
load_balancer_class = "service.k8s.aws/nlb"

# The password comes by TF_VAR_db_password.
db_host              = "etl-production.abcdefghijkl.us-gov-west-1.rds.amazonaws.com"
db_port              = 5432
db_name              = "etl_db"
db_user              = "etl_user"
db_password_revision = 3
db_security_group_id = "sg-0a1b2c3d4e5f67890"

state_bucket      = "etl-production-terraform-state"
state_kms_key_arn = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/5b8e7f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d"

# Pages on deliveries, behind an Ingress of others; its controller alone may call them. The secret comes by
# TF_VAR_console_secret.
console         = true
console_clients = ["ingress-nginx"]
console_variables = {
  CONSOLE_ORIGIN         = "https://deliveries.etl.example.gov"
  CONSOLE_OIDC_ISSUER    = "https://login.example.gov/realms/etl"
  CONSOLE_OIDC_CLIENT_ID = "file-processing"
  CONSOLE_GRANTS         = "[{\"group\":\"data-team\",\"rights\":[\"look\",\"act\",\"reveal\"]},{\"group\":\"nm-albuquerque\",\"rights\":[\"look\"],\"clients\":[\"nm_albuquerque\"]}]"
}
console_secret_revision = 2
