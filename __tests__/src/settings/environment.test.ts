import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadEnvironment } from '../../../src/settings/environment.ts';
import { formatFinding, SettingsError } from '../../../src/settings/finding.ts';

/** As the original's repository had it, with its old image tag, http endpoint and password. */
const ORIGINAL = `aws_region  = "us-gov-west-1"
aws_profile = "etl-playground"

# foundation_network tag prefix (used to discover VPC/subnets by Name tag)
foundation_name_prefix = "etl-platform"

bucket_name             = "etl-ba-research-client-etl"
create_s3_notifications = true
cluster_name    = "file-processing-cluster"
node_group_name = "file-processing-nodes"
image = "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/file-processing:latest"
sns_endpoint_url = "http://a7534c88.us-gov-west-1.elb.amazonaws.com"
db_host     = "dev-postgres.abcdefghijkl.us-gov-west-1.rds.amazonaws.com"
db_port     = "5432"
db_name     = "etl_db"
db_user     = "etl_user"
db_password = "MARKER-Password123!#"
oidc_thumbprint = "0201a9f54320c2145814a507d7a3880c726eacd7"
`;

const NETWORK = 'environments/dev/foundation_network.tfvars';
const PROCESSING = 'environments/dev/file_processing.tfvars';
const DATABASE = 'environments/dev/postgres_on_demand.tfvars';
const IMAGE = 'environments/dev/container_image.txt';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'environment-'));
  write(NETWORK, '');
  write(PROCESSING, 'bucket_name = "drop-box"\n');
});

afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const load = () => loadEnvironment(root, 'dev');
const warnings = () => load().warnings.fileProcessing.map(formatFinding);

function faults(name = 'dev'): readonly string[] {
  try {
    loadEnvironment(root, name);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults.map(formatFinding);
    throw error;
  }
  return [];
}

describe('the rule set in its folder', () => {
  const RULES = 'environments/dev/rules';
  const MAPPING = `${RULES}/mappings/nm/officers.yaml`;
  const paths = () => [...load().rules.keys()];

  it('goes along, of all folders below', () => {
    write(MAPPING, 'name: officers\n');
    write(`${RULES}/README.md`, 'for people');
    write(`${RULES}/monitoring_files/nm.json`, '{}');
    expect([...load().rules]).toEqual([
      ['mappings/nm/officers.yaml', 'name: officers\n'],
      ['monitoring_files/nm.json', '{}'],
    ]);
  });

  it('is none where there is no folder', () => {
    expect(paths()).toEqual([]);
  });

  it.each([
    ['the listener reads one in S3', 'rules_location = "s3://agency-rules/rules/"\n'],
    ['others deploy the objects', 'manage_kubernetes = false\n'],
  ])('stays where it is, however large, where %s', (_, setting) => {
    write(PROCESSING, `bucket_name = "drop-box"\n${setting}`);
    write(MAPPING, 'x'.repeat(1_000_000));
    expect(paths()).toEqual([]);
  });

  it('of more than a ConfigMap takes is refused, with its size and the way out', () => {
    const text = 'x'.repeat(450_000);
    write(MAPPING, text);
    write(`${RULES}/mappings/b.yaml`, text);
    expect(faults()).toEqual([
      `${RULES}: has 900040 bytes in 2 files, and a ConfigMap takes 900000: take out what is not needed, or put the rule set into S3, where no such limit holds: rules_location`,
    ]);
  });

  it('of just as much is taken', () => {
    const bytes = 900_000 - 'mappings/nm/officers.yaml'.length;
    write(MAPPING, 'ñ'.repeat(Math.floor(bytes / 2)));
    expect(paths()).toHaveLength(1);
  });

  it('names each file whose path no key can have', () => {
    write(`${RULES}/mappings/use of force.yaml`, 'name: a\n');
    write(`${RULES}/mappings/a..b.yaml`, 'name: a\n');
    expect(faults()).toEqual([
      expect.stringContaining(
        `${RULES}/mappings/a..b.yaml: its path can't be the key of a ConfigMap`,
      ),
      expect.stringContaining(`${RULES}/mappings/use of force.yaml: its path can't be`),
    ]);
  });

  it('is missed where the folder holds none', () => {
    write(`${RULES}/mapping/a.yaml`, 'name: a\n');
    expect(faults()).toEqual([
      `${RULES}: holds no rule set; its files are in mappings/, monitoring_files/ and holidays/, named .yaml, .yml or .json`,
    ]);
  });
});

describe('the day of a run', () => {
  beforeEach(() => write(PROCESSING, `${ORIGINAL}\nkubernetes_version = "1.34"\n`));
  const on = (day: string) => loadEnvironment(root, 'dev', new Date(`${day}T00:00:00Z`));
  const told = (day: string) =>
    on(day)
      .warnings.fileProcessing.map(formatFinding)
      .filter((warning) => warning.includes('standard support'));

  it.each([
    ['2026-09-02', []],
    ['2026-09-03', [expect.stringMatching(/kubernetes_version: 1.34 leaves .* in 90 days/)]],
    ['2026-12-03', [expect.stringMatching(/kubernetes_version: 1.34 left .* on 2026-12-02/)]],
  ])('%s brings what is to be said of the version then', (day, warnings) => {
    expect(told(day)).toEqual(warnings);
  });

  it('changes no setting', () => {
    expect(on('2040-01-01').fileProcessing).toEqual(on('2026-01-01').fileProcessing);
  });
});

describe("the original's tfvars", () => {
  beforeEach(() => write(PROCESSING, ORIGINAL));

  it('work unchanged', () => {
    expect(load().fileProcessing).toMatchObject({
      bucket_name: 'etl-ba-research-client-etl',
      create_s3_notifications: true,
      db_port: 5432,
      oidc_thumbprint: '0201a9f54320c2145814a507d7a3880c726eacd7',
    });
  });

  it('bring warnings about what is unwise, with file and line', () => {
    expect(warnings()).toEqual([
      expect.stringMatching(/: account_id: credentials of any account are taken/),
      expect.stringMatching(
        /^environments\/dev\/file_processing\.tfvars:12: sns_endpoint_url = "http:/,
      ),
      expect.stringMatching(/: alarm_topic_arn: /),
      expect.stringMatching(
        /^environments\/dev\/file_processing\.tfvars:11: image = ".*:latest": a tag/,
      ),
      expect.stringMatching(/: cluster_endpoint_public_access_cidrs: /),
      expect.stringMatching(
        /^environments\/dev\/file_processing\.tfvars:17: db_password: is not synthesized/,
      ),
    ]);
  });

  it('never show the password in settings or warnings', () => {
    expect(JSON.stringify(load())).not.toContain('MARKER');
  });

  it('are refused with the password once git tracks them', () => {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root, stdio: 'ignore' });
    git('init');
    expect(faults()).toEqual([]);
    git('add', '.');
    expect(faults()).toEqual([
      expect.stringMatching(
        /^environments\/dev\/file_processing\.tfvars:17: db_password: must not stand in a file that git tracks/,
      ),
    ]);
    expect(faults().join()).not.toContain('MARKER');
  });
});

describe('files', () => {
  it('may be .tfvars.json', () => {
    rmSync(join(root, PROCESSING));
    write(`${PROCESSING}.json`, '{ "bucket_name": "drop-box", "replicas": 3 }');
    expect(load().fileProcessing).toMatchObject({ bucket_name: 'drop-box', replicas: 3 });
  });

  it('may not be there in both forms', () => {
    write(`${PROCESSING}.json`, '{}');
    expect(faults()).toContain(`${PROCESSING}: stands beside ${PROCESSING}.json; keep one of them`);
  });

  it('may not be missing', () => {
    rmSync(join(root, NETWORK));
    expect(faults()).toEqual([`${NETWORK}: is missing (${NETWORK}.json would do as well)`]);
  });

  it.each([
    ['network', { vpc_id: 'vpc-0a1b2c3d4e5f67890' }],
    ['cluster', { create_cluster: false, cluster_name: 'shared' }],
  ])('may lack foundation-network where an existing %s is named', (_, named) => {
    rmSync(join(root, NETWORK));
    rmSync(join(root, PROCESSING));
    write(`${PROCESSING}.json`, JSON.stringify({ bucket_name: 'drop-box', ...named }));
    expect(load()).not.toHaveProperty('foundationNetwork');
    expect(load().fileProcessing).toMatchObject(named);
  });

  it.each([
    ['vpc_id = "vpc-123"', 'vpc_id = "vpc-123": must be the id of a VPC'],
    ['vpc_id = vpc-0a1b2c3d', 'vpc_id: '],
    ['private_subnet_ids = ["subnet-0a1b2c3d", "subnet-1a2b3c4d"]', 'vpc_id: must be given with'],
    ['private_subnet_ids = ["subnet-0a1b2c3d"]', 'private_subnet_ids = ["subnet-0a1b2c3d"]: must'],
  ])('have no foundation-network missed where %s is what is wrong', (line, fault) => {
    rmSync(join(root, NETWORK));
    write(PROCESSING, `bucket_name = "drop-box"\n${line}\n`);
    expect(faults()).toEqual([expect.stringContaining(fault)]);
  });

  it('bring no warning of what a file that is missing leaves out', () => {
    rmSync(join(root, NETWORK));
    expect(load).toThrow(/is missing/);
    expect(load).not.toThrow(/foundation_network\.tfvars: account_id/);
  });

  it('give all their faults at once, those of the text and those of the values', () => {
    write(NETWORK, 'vpc_cidr = "10.0.0.0/33"\n');
    write(PROCESSING, 'bucket_name = "x"\nreplicas = 0\ncluster_name = upper("a")\n');
    expect(faults()).toEqual([
      expect.stringMatching(/foundation_network\.tfvars:1: vpc_cidr = "10\.0\.0\.0\/33": must be/),
      expect.stringMatching(/file_processing\.tfvars:3: cluster_name: /),
      expect.stringMatching(/file_processing\.tfvars:1: bucket_name = "x": must be/),
      expect.stringMatching(/file_processing\.tfvars:2: replicas = 0: must be/),
    ]);
  });

  it('give faults across variables beside those of single ones, but none that a faulty value would decide', () => {
    write(NETWORK, 'vpc_cidr = "10.0.0.0/33"\navailability_zones = ["us-east-1a", "us-east-1b"]\n');
    write(
      PROCESSING,
      'bucket_name = "x"\nnode_max_size = 1\nsns_retries = -1\nsns_retry_min_delay_seconds = 90\n',
    );
    expect(faults().map((fault) => fault.replace(/^environments\/dev\//, ''))).toStrictEqual([
      expect.stringMatching(/^foundation_network\.tfvars:1: vpc_cidr /),
      expect.stringMatching(/^file_processing\.tfvars:1: bucket_name /),
      expect.stringMatching(/^file_processing\.tfvars:3: sns_retries /),
      expect.stringMatching(/^foundation_network\.tfvars:2: availability_zones: us-east-1a is not/),
      expect.stringMatching(/^foundation_network\.tfvars:2: availability_zones: us-east-1b is not/),
      expect.stringMatching(/^file_processing\.tfvars:2: node_max_size: 1 must not be less than/),
      expect.stringMatching(/^file_processing\.tfvars:4: sns_retry_min_delay_seconds: 90 must/),
    ]);
  });

  it('are refused with the line that is not UTF-8', () => {
    const latin1 = Buffer.from(
      'bucket_name = "drop-box"\ntags = { Owner = "Jos\u00e9" }\n',
      'latin1',
    );
    writeFileSync(join(root, PROCESSING), latin1);
    expect(faults()).toStrictEqual([
      'environments/dev/file_processing.tfvars:2: is not UTF-8 text; save the file as UTF-8',
    ]);
  });

  it('are checked across variables, with the line of the one to change', () => {
    write(PROCESSING, 'bucket_name = "drop-box"\nnode_max_size = 1\n');
    expect(faults()).toEqual([
      'environments/dev/file_processing.tfvars:2: node_max_size: 1 must not be less than node_desired_size 2',
    ]);
  });
});

describe('the environment', () => {
  it('that is unknown brings a list of those that there are', () => {
    write('environments/prod/x', '');
    expect(faults('test')).toEqual([
      'environments/test: is not an environment; ENVIRONMENT must be one of dev, prod',
    ]);
  });

  it('cannot lie outside its folder', () => {
    expect(faults('../dev')).toEqual([expect.stringMatching(/is not an environment/)]);
  });
});

describe('container_image.txt', () => {
  const digest = `repo/file-processing@sha256:${'a'.repeat(64)}`;

  it('gives the image', () => {
    write(IMAGE, `${digest}\n`);
    expect(load().fileProcessing.image).toBe(digest);
  });

  it('takes precedence over the tfvars file, with a warning', () => {
    write(PROCESSING, 'bucket_name = "drop-box"\nimage = "old:1"\n');
    write(IMAGE, digest);
    expect(load().fileProcessing.image).toBe(digest);
    expect(warnings()).toContain(
      `environments/dev/file_processing.tfvars:2: image = "old:1": is not used: ${IMAGE} takes precedence`,
    );
  });

  it('means nothing while it is empty', () => {
    write(IMAGE, '\n');
    expect(load().fileProcessing.image).toBe('');
  });

  it('is checked like any other value', () => {
    write(IMAGE, 'not an image');
    expect(faults()).toEqual([
      expect.stringMatching(
        /^environments\/dev\/container_image\.txt:1: image = "not an image": must be/,
      ),
    ]);
  });
});

describe('a file that can not be read, such as a folder of its name', () => {
  it.each([[PROCESSING], ['environments/dev/container_image.txt']])('is told: %s', (file) => {
    rmSync(join(root, file), { force: true });
    mkdirSync(join(root, file));
    expect(faults()).toEqual([`${file}: can't be read (EISDIR)`]);
  });
});

describe('two stacks that do not fit together', () => {
  it.each([
    ['permissions_boundary_arn', 'arn:aws-us-gov:iam::123456789012:policy/b', 'the roles of all'],
    ['state_bucket', 'etl-states', 'keeps its states in one place'],
  ])('bring a warning where one alone has %s', (name, value, why) => {
    write(NETWORK, `${name} = "${value}"\n`);
    expect(load().warnings.foundationNetwork.map(formatFinding)).toContainEqual(
      expect.stringMatching(
        `:1: ${name}: ${value} differs from file_processing's absent: .*${why}`,
      ),
    );
  });

  it('bring a warning where one is deployed by a role alone', () => {
    write(NETWORK, 'assume_role_arn = "arn:aws-us-gov:iam::123456789012:role/etl-deploy"\n');
    expect(load().warnings.foundationNetwork.map(formatFinding)).toContainEqual(
      expect.stringMatching(/:1: assume_role_arn: arn:\S+ differs from file_processing's absent/),
    );
  });

  it('bring warnings', () => {
    write(
      NETWORK,
      'name_prefix = "other"\naws_region = "us-east-1"\naccount_id = "123456789012"\n',
    );
    expect(load().warnings.foundationNetwork.map(formatFinding)).toEqual([
      expect.stringMatching(/:2: aws_region: us-east-1 differs/),
      expect.stringMatching(/:3: account_id: 123456789012 differs from file_processing's absent/),
      expect.stringMatching(/:1: name_prefix: other differs/),
    ]);
  });
});

describe('postgres_on_demand.tfvars', () => {
  it('makes no difference while it is not there', () => {
    expect(load()).not.toHaveProperty('postgresOnDemand');
    expect(load().warnings.postgresOnDemand).toEqual([]);
  });

  it.each(['', '.json'])('is read with the ending "%s"', (ending) => {
    write(`${DATABASE}${ending}`, ending === '' ? 'db_port = 6432' : '{"db_port": 6432}');
    expect(load().postgresOnDemand?.db_port).toBe(6432);
  });

  it('has its faults reported with those of the other files', () => {
    write(PROCESSING, 'bucket_name = "x"\n');
    write(DATABASE, 'engine = "mysql"\nbackup_window = "05:30-06:30"\n');
    expect(faults()).toEqual([
      expect.stringContaining(`${PROCESSING}:1: bucket_name`),
      expect.stringContaining(`${DATABASE}:1: engine`),
      expect.stringContaining(`${DATABASE}:2: backup_window: 05:30-06:30 overlaps`),
    ]);
  });

  it('warns of another account than that of file-processing', () => {
    write(DATABASE, 'account_id = "210987654321"\n');
    expect(load().warnings.postgresOnDemand.map(formatFinding).join('\n')).toContain(
      `${DATABASE}:1: account_id: 210987654321 differs from file_processing's absent`,
    );
  });

  it('takes from file_processing.tfvars what it leaves out of what both have', () => {
    const shared = `account_id = "210987654321"
aws_region = "us-gov-east-1"
iam_path = "/etl/"
vpc_id = "vpc-0a1b2c3d4e5f67899"
tags = { Owner = "etl" }
alarm_topic_arn = "arn:aws-us-gov:sns:us-gov-east-1:210987654321:a"
`;
    write(PROCESSING, `bucket_name = "drop-box"\ndb_port = 6432\n${shared}`);
    write(DATABASE, 'tags = { Owner = "dba" }\niam_path = null\n');
    expect(load().postgresOnDemand).toMatchObject({
      account_id: '210987654321',
      aws_region: 'us-gov-east-1',
      iam_path: '/',
      vpc_id: 'vpc-0a1b2c3d4e5f67899',
      tags: { Owner: 'dba' },
      alarm_topic_arn: 'arn:aws-us-gov:sns:us-gov-east-1:210987654321:a',
      db_port: 5432,
    });
    expect(load().warnings.postgresOnDemand).toEqual([]);
  });

  it('takes nothing of the network from there once it names its own', () => {
    const subnets = 'private_subnet_ids = ["subnet-0a1b2c3d", "subnet-1a2b3c4d"]';
    write(PROCESSING, `bucket_name = "drop-box"\nvpc_id = "vpc-0a1b2c3d"\n${subnets}\n`);
    write(DATABASE, 'foundation_name_prefix = "data"\n');
    expect(load().postgresOnDemand).toMatchObject({ vpc_id: '', private_subnet_ids: [] });
  });

  it('is not said to lack what it would take from there, where that is at fault', () => {
    write(PROCESSING, 'bucket_name = "drop-box"\naccount_id = "1234-5678-9012"\n');
    write(DATABASE, '');
    expect(load).not.toThrow(/postgres_on_demand\.tfvars: account_id/);
  });

  it('has a topic that it takes from there reported once, where that is of another region', () => {
    const topic = 'arn:aws-us-gov:sns:us-gov-east-1:210987654321:on-call';
    write(PROCESSING, `bucket_name = "drop-box"\nalarm_topic_arn = "${topic}"\n`);
    write(DATABASE, '');
    expect(faults()).toEqual([
      `${PROCESSING}:2: alarm_topic_arn: ${topic} must be in aws_region us-gov-west-1`,
    ]);
  });

  it('has faults and placeholders of what it takes from there reported once', () => {
    write(
      PROCESSING,
      'bucket_name = "drop-box"\nprivate_subnet_ids = ["subnet-0a1b2c3d", "subnet-1a2b3c4d"]\niam_path = "etl"\n',
    );
    write(DATABASE, '');
    expect(faults()).toEqual([
      expect.stringContaining(`${PROCESSING}:3: iam_path`),
      expect.stringContaining('vpc_id: must be given with private_subnet_ids'),
    ]);
    write(PROCESSING, 'bucket_name = "drop-box"\naccount_id = "123456789012"\n');
    expect(load().placeholders).toHaveLength(1);
  });

  it('has warnings and placeholders of its own', () => {
    write(
      DATABASE,
      'multi_az = false\nalarm_topic_arn = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a"\n',
    );
    expect(load().warnings.postgresOnDemand.map(formatFinding).join('\n')).toContain(
      `${DATABASE}:1: multi_az = false: `,
    );
    expect(load().placeholders.map(formatFinding).join('\n')).toContain(DATABASE);
  });
});

describe('A database on demand', () => {
  const PROCESSES = 'bucket_name = "drop-box"\ndatabase = "on_demand"\n';

  it('gives file-processing its name, its port, a user and sign-in by IAM', () => {
    write(PROCESSING, PROCESSES);
    write(DATABASE, 'db_name = "etl"\ndb_port = 6432\n');
    expect(load().fileProcessing).toMatchObject({
      db_name: 'etl',
      db_port: 6432,
      db_user: 'file_processing',
      db_iam_auth: true,
      db_host: '',
    });
  });

  it('is signed in to by the user that is named', () => {
    write(PROCESSING, `${PROCESSES}db_user = "reader"\n`);
    write(DATABASE, '');
    expect(load().fileProcessing.db_user).toBe('reader');
  });

  it('changes nothing for an external database', () => {
    write(DATABASE, 'db_name = "etl"\n');
    expect(load().fileProcessing).toMatchObject({ db_name: '', db_iam_auth: false });
  });

  it('must be there', () => {
    write(PROCESSING, PROCESSES);
    expect(faults()).toEqual([
      expect.stringContaining(`${PROCESSING}:2: database: needs postgres_on_demand.tfvars`),
    ]);
  });

  const CLUSTER = 'create_cluster = false\ncluster_name = "shared"\n';

  it.each([
    ['', 'foundation_name_prefix = "data"', /:1: foundation_name_prefix: data-vpc differs from/],
    ['vpc_id = "vpc-0a1b2c3d"\n', 'vpc_id = "vpc-1a2b3c4d"', /:1: vpc_id: vpc-1a2b3c4d differs/],
    [CLUSTER, '', /vpc_id: absent: .* name the VPC of the cluster shared$/],
  ])(
    'is warned of in another network than that of the nodes (%j, %j)',
    (nodes, database, warned) => {
      write(PROCESSING, `${PROCESSES}account_id = "210987654321"\n${nodes}`);
      write(DATABASE, `${database}\n`);
      expect(load().warnings.postgresOnDemand.map(formatFinding)).toContainEqual(
        expect.stringMatching(warned),
      );
    },
  );

  it.each([
    ['vpc_id = "vpc-0a1b2c3d"\n', ''],
    ['vpc_id = "vpc-0a1b2c3d"\n', 'foundation_name_prefix = "data"'],
    [CLUSTER, 'vpc_id = "vpc-0a1b2c3d"'],
  ])('is not warned of where the network may be the same (%j, %j)', (nodes, database) => {
    write(PROCESSING, PROCESSES + nodes);
    write(DATABASE, `${database}\n`);
    const warned = load().warnings.postgresOnDemand.map(({ variable }) => variable);
    expect(warned).not.toContain('vpc_id');
    expect(warned).not.toContain('foundation_name_prefix');
  });

  it('must be in the same region', () => {
    write(PROCESSING, PROCESSES);
    write(DATABASE, 'aws_region = "us-gov-east-1"\n');
    expect(faults()).toEqual([expect.stringContaining("differs from postgres_on_demand's")]);
  });

  it.each([
    'db_host = "db.example"',
    'db_port = 5432',
    'db_name = "etl"',
    'db_password = "x"',
    'db_password_revision = 2',
    'db_iam_auth = false',
    'db_resource_id = "db-ABC"',
    'db_security_group_id = "sg-12345678"',
    'existing_secret_name = "a"',
  ])('leaves nothing to be said by %s', (line) => {
    write(PROCESSING, `${PROCESSES}${line}\n`);
    write(DATABASE, '');
    expect(faults()).toEqual([
      expect.stringMatching(/:3: \w+: is for a database of your own; leave it out/),
    ]);
  });
});
