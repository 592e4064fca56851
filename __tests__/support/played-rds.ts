import { RDSClient } from '@aws-sdk/client-rds';
import { type AwsClients, awsClients } from '../../src/operations/aws-clients.ts';

/** An instance or cluster of a {@link PlayedRds}. */
export interface PlayedDatabase {
  status: string;
  /** Instances of a cluster. */
  members?: readonly string[];
  deletionProtection?: boolean;
}

/** RDS with databases and snapshots by name; what is asked to change is done at the next look. */
export class PlayedRds extends RDSClient {
  readonly databases = new Map<string, PlayedDatabase>();
  readonly snapshots = new Map<string, string>();
  /** Commands that change something, with the names that they are about. */
  readonly changes: string[] = [];

  constructor() {
    super({ region: 'us-gov-west-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
  }

  /** Clients of AWS whose RDS this is. */
  readonly clients = (): AwsClients => ({
    ...awsClients({ region: 'us-gov-west-1', profile: '' }),
    rds: async () => this,
  });

  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own has an overload for each command.
  override send(command: any): any {
    return Promise.resolve().then(() => this.#answer(command.constructor.name, command.input));
  }

  #answer(name: string, input: Readonly<Record<string, string | boolean>>): object {
    const database = String(input.DBInstanceIdentifier ?? input.DBClusterIdentifier ?? '');
    const snapshot = input.DBSnapshotIdentifier ?? input.DBClusterSnapshotIdentifier;
    const renamed = input.NewDBInstanceIdentifier ?? input.NewDBClusterIdentifier;
    const kind = name.replace(/Command$/, '');
    if (!kind.startsWith('Describe')) {
      const about = [database, snapshot, renamed].filter(Boolean).join(' ');
      this.changes.push(`${kind} ${about}`);
    }
    const found = this.databases.get(database);
    switch (kind.replace(/DB(Instance|Cluster)/, 'DB')) {
      case 'DescribeDBs':
        if (found === undefined) throw missing('DBInstanceNotFoundFault');
        return described(database, found);
      case 'StartDB':
        this.databases.set(database, { ...found, status: 'available' });
        return {};
      case 'StopDB':
        this.databases.set(database, { ...found, status: 'stopped' });
        return {};
      case 'ModifyDB':
        this.#modify(database, renamed === undefined ? undefined : String(renamed), input);
        return {};
      case 'CreateDBSnapshot':
        this.snapshots.set(String(snapshot), 'available');
        return {};
      case 'DescribeDBSnapshots':
        return this.#snapshotsNamed(snapshot === undefined ? undefined : String(snapshot));
      default:
        throw new Error(`${name} was sent`);
    }
  }

  #modify(name: string, to: string | undefined, input: object): void {
    const found = this.databases.get(name);
    if (found === undefined) return;
    if ('DeletionProtection' in input) found.deletionProtection = false;
    if (to === undefined) return;
    this.databases.delete(name);
    this.databases.set(to, found);
  }

  #snapshotsNamed(name: string | undefined): object {
    const named = [...this.snapshots].filter(([one]) => name === undefined || one === name);
    if (name !== undefined && named.length === 0) throw missing('DBSnapshotNotFoundFault');
    const SnapshotCreateTime = new Date('2026-01-01T00:00:00Z');
    const shared = (Status: string) => ({ Status, SnapshotType: 'manual', SnapshotCreateTime });
    return {
      DBSnapshots: named.map(([one, status]) => ({ DBSnapshotIdentifier: one, ...shared(status) })),
      DBClusterSnapshots: named.map(([one, status]) => ({
        DBClusterSnapshotIdentifier: one,
        ...shared(status),
      })),
    };
  }
}

function described(name: string, { status, members = [] }: PlayedDatabase): object {
  const host = `${name}.example.us-gov-west-1.rds.amazonaws.com`;
  return {
    DBInstances: [{ DBInstanceStatus: status, Endpoint: { Address: host, Port: 5432 } }],
    DBClusters: [
      {
        Status: status,
        Endpoint: host,
        Port: 5432,
        DBClusterMembers: members.map((member) => ({ DBInstanceIdentifier: member })),
      },
    ],
  };
}

function missing(name: string): Error {
  return Object.assign(new Error('not found'), { name });
}
