import {
  isSchemaName,
  LONGEST_RETENTION_DAYS,
  SCHEMA_NAME,
} from '@file-processing/contract/listener-variables.ts';
import { choice, flag, integer, text } from '../variable.ts';
import { DNS_LABEL, isDnsLabel, isHostName } from './forms.ts';

/** The user that the listener signs in as to a database on demand, unless `db_user` names another. */
export const LISTENER_USER = 'file_processing';

/** Names of the Jobs that prepare a database on demand, and of their ServiceAccounts. */
export const DATABASE_JOB_NAMES = {
  bootstrap: 'file-processing-database-bootstrap',
  migrate: 'file-processing-database-migrate',
} as const;

/** The database of the listener. */
export const databaseVariables = {
  database: choice(['external', 'on_demand'], {
    description:
      'Your own database, which the variables below describe, or that of the stack postgres-on-demand: it is found by its name, the pods sign in to it through IAM, and of the variables below only db_schema, db_user and db_migrator_user may be given.',
    default: 'external',
    example: 'on_demand',
  }),
  db_host: text({
    description:
      'Host of the PostgreSQL database. Empty if existing_secret_name holds the whole DATABASE_URL; pods without either are a finding of the audit.',
    default: '',
    example: 'dev-postgres.abcdefghijkl.us-gov-west-1.rds.amazonaws.com',
    allowed: 'a host name or an IPv4 address',
    accepts: isHostName,
  }),
  db_port: integer(1, 65_535, {
    description: 'Port of the database.',
    default: 5432,
    example: 5432,
  }),
  db_name: text({
    description: 'Name of the database.',
    default: '',
    example: 'etl_db',
    allowed: '1 to 63 letters, digits, underscores and hyphens',
    accepts: (value) => /^[\w-]{1,63}$/.test(value),
  }),
  db_schema: text({
    description:
      "Schema of the listener's tables in the database; its queue has another one, whose name ends in _queue. `migrate` creates both. A later change moves nothing: the listener starts from scratch in the other schema.",
    default: 'file_processing',
    example: 'etl_quality',
    allowed: SCHEMA_NAME,
    accepts: isSchemaName,
  }),
  retention_days: integer(1, LONGEST_RETENTION_DAYS, {
    description:
      'Age from which the listener deletes messages, reports in the database, error texts and dead letters, messages and reports a month at a time; each object and its verdict stay. At least 42: messages forgotten sooner could be accepted twice.',
    unit: 'days',
    default: 400,
    example: 400,
  }),
  db_user: text({
    description: 'User of the database. Empty means file_processing with database = "on_demand".',
    default: '',
    example: 'etl_user',
    allowed: '1 to 63 letters, digits, underscores, hyphens and dots',
    accepts: (value) => /^[\w.-]{1,63}$/.test(value),
  }),
  db_migrator_user: text({
    description:
      'User that migrates the database, with database = "on_demand": a separate Job signs in as it, through IAM.',
    default: 'file_processing_migrator',
    example: 'etl_migrator',
    allowed: '1 to 63 letters, digits, underscores, hyphens and dots',
    accepts: (value) => /^[\w.-]{1,63}$/.test(value),
  }),
  db_password: text({
    description:
      'Password of the database. Better not in a file: give it as TF_VAR_db_password. It never gets into the synthesized JSON, the plan or the state.',
    default: '',
    example: '',
    allowed: 'a string of at most 1024 characters',
    accepts: (value) => value.length <= 1024,
    sensitive: true,
  }),
  db_password_revision: integer(1, 1_000_000, {
    description:
      'Raise it by one whenever the password changes, so that the Secret is written again.',
    default: 1,
    example: 2,
    setAt: 'plan',
  }),
  scaler_user: text({
    description:
      'Role with which KEDA counts waiting judgements, with autoscaling = "backlog": it may read nothing else. KEDA signs in with a password even if the pods sign in through IAM.',
    default: 'file_processing_scaler',
    example: 'etl_scaler',
    allowed: '1 to 63 letters, digits, underscores, hyphens and dots',
    accepts: (value) => /^[\w.-]{1,63}$/.test(value),
  }),
  scaler_password: text({
    description:
      'Password of scaler_user. Better not in a file: give it as TF_VAR_scaler_password. It never gets into the synthesized JSON, the plan or the state.',
    default: '',
    example: '',
    allowed: 'a string of at most 1024 characters',
    accepts: (value) => value.length <= 1024,
    sensitive: true,
  }),
  scaler_password_revision: integer(1, 1_000_000, {
    description:
      'Raise it by one whenever that password changes, so that its Secret is written again.',
    default: 1,
    example: 2,
    setAt: 'plan',
  }),
  scaler_ssl_mode: choice(['verify-full', 'require'], {
    description:
      "How KEDA's connection to the database is protected: `verify-full` verifies the server's certificate, for which KEDA needs its authority; `require` encrypts, but accepts any certificate, which is a finding of the audit.",
    default: 'verify-full',
    example: 'require',
  }),
  existing_secret_name: text({
    description:
      "Kubernetes Secret that you create, instead of the stack's own: with the key DB_PASSWORD, or DATABASE_URL if db_host is empty.",
    default: '',
    example: 'file-processing-database',
    allowed: DNS_LABEL,
    accepts: isDnsLabel,
  }),
  db_iam_auth: flag({
    description: 'Allows the pods to sign in to RDS as db_user through IAM (rds-db:connect).',
    default: false,
    example: true,
  }),
  db_resource_id: text({
    description: 'Resource id of the RDS instance or cluster that db_iam_auth is for.',
    default: '',
    example: 'db-ABCDEFGHIJKL01234',
    allowed: 'a resource id of RDS, such as db-ABCDEFGHIJKL01234 or cluster-ABCDEFGHIJKL01234',
    accepts: (value) => /^(db|cluster)-[A-Z0-9]+$/.test(value),
  }),
  db_security_group_id: text({
    description: 'Security group of the database; with it, the nodes are allowed in on db_port.',
    default: '',
    example: 'sg-0a1b2c3d4e5f67890',
    allowed: 'the id of a security group, such as sg-0a1b2c3d4e5f67890',
    accepts: (value) => /^sg-[0-9a-f]{8}([0-9a-f]{9})?$/.test(value),
  }),
};
