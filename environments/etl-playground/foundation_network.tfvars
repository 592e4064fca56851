# Shared network of the etl-playground account, deployed once.
aws_region  = "us-gov-west-1"
aws_profile = "etl-playground"

name_prefix = "etl-platform"

vpc_cidr             = "10.0.0.0/16"
public_subnet_cidrs  = ["10.0.0.0/24", "10.0.1.0/24"]
private_subnet_cidrs = ["10.0.10.0/24", "10.0.11.0/24"]
