# An example: image and db_host are placeholders. `npm run manage -- new-environment NAME` writes an
# environment of your own.
aws_region  = "us-gov-west-1"
aws_profile = "etl-playground"

# The network is found by the Name tags that begin with this.
foundation_name_prefix = "etl-platform"

bucket_name             = "etl-ba-research-client-etl"
create_s3_notifications = true

cluster_name    = "file-processing-cluster"
node_group_name = "file-processing-nodes"

# Whoever deploys must reach the cluster's private API, here from anywhere inside the VPC.
cluster_endpoint_private_access_cidrs = ["10.0.0.0/16"]

image = "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/file-processing@sha256:4b0bb1fcd3a2a6b7d6e1c8e6f9d8f2b1a7c4e5d60718293a4b5c6d7e8f901234"

# Set it once a name points at the load balancer; SNS then asks the listener to confirm.
# sns_endpoint_url = "https://files.example.gov/"

# The password comes by TF_VAR_db_password, never from a file that git tracks.
db_host = "dev-postgres-on-demand.abcdefghijkl.us-gov-west-1.rds.amazonaws.com"
db_port = 5432
db_name = "etl_db"
db_user = "etl_user"
