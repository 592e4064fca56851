# The database of file-processing. Account, roles, network, state and alarms are those of file_processing.tfvars.
identifier = "etl-government"
engine     = "rds"
multi_az   = true
