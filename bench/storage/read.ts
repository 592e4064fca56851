/**
 * How fast an object is read, its checksum compared: MB/s by our parts against one stream of the SDK, from a
 * process that stands in for S3 with 30 ms of latency and 85 MB/s on each connection. They take turns; quote
 * the ratio.
 *
 *     npm run bench -- storage [--mb 400] [--rounds 3]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createS3Store } from '../../listener/src/storage/s3-store.ts';

const { values } = parseArgs({
  options: { mb: { type: 'string', default: '400' }, rounds: { type: 'string', default: '3' } },
});
const megabytes = Number(values.mb);
const rounds = Number(values.rounds);

// They are for the stand-in alone, and for nobody else's account.
process.env.AWS_ACCESS_KEY_ID = 'bench';
process.env.AWS_SECRET_ACCESS_KEY = 'bench';
const { signal } = new AbortController();

const s3 = spawn(
  process.execPath,
  [fileURLToPath(new URL('./s3-process.ts', import.meta.url)), `${megabytes}`],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
try {
  const connection = { region: 'us-gov-west-1', endpoint: `http://127.0.0.1:${await portOf(s3)}` };
  const client = new S3Client({ ...connection, forcePathStyle: true });
  const store = createS3Store(connection);
  const ways = [
    { name: 'one stream', read: () => oneStream(client), figures: [] as Figure[] },
    { name: 'our parts', read: () => ourParts(store), figures: [] as Figure[] },
  ] as const;
  // The first round warms up.
  for (let round = -1; round < rounds; round += 1) {
    for (const { read, figures } of ways) {
      const figure = await measure(read);
      if (round >= 0) figures.push(figure);
    }
  }
  for (const { name, figures } of ways) print(name, figures);
  const [stream, parts] = ways;
  const ratios = parts.figures.map(({ mbPerSecond }, round) => {
    return mbPerSecond / (stream.figures[round]?.mbPerSecond ?? Number.NaN);
  });
  console.log(`${median(ratios).toFixed(2)} times the throughput of one stream (at least 4)`);
  store.close();
  client.destroy();
} finally {
  s3.kill();
}

interface Figure {
  readonly mbPerSecond: number;
  readonly mbPerCpuSecond: number;
}

async function portOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('the stand-in for S3 has no output');
  const [line] = await once(createInterface({ input: stdout }), 'line');
  return line;
}

async function oneStream(client: S3Client): Promise<number> {
  const answer = await client.send(new GetObjectCommand({ Bucket: 'bench', Key: 'a.csv' }));
  return sizeOf(answer.Body as AsyncIterable<Uint8Array>);
}

async function ourParts(store: ReturnType<typeof createS3Store>): Promise<number> {
  const opened = await store.open({ bucket: 'bench', key: 'a.csv' }, signal);
  const size = await sizeOf(opened.bytes);
  const { status } = await opened.compareChecksum('');
  if (status !== 'compared') throw new Error('the checksum was not compared');
  return size;
}

async function sizeOf(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of bytes) size += chunk.length;
  return size;
}

async function measure(read: () => Promise<number>): Promise<Figure> {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const size = await read();
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (size !== megabytes * 1e6) throw new Error(`${size} bytes came of ${megabytes} MB`);
  return {
    mbPerSecond: megabytes / seconds,
    mbPerCpuSecond: megabytes / ((user + system) / 1e6),
  };
}

function print(name: string, figures: readonly Figure[]): void {
  const perSecond = median(figures.map(({ mbPerSecond }) => mbPerSecond));
  const perCpuSecond = median(figures.map(({ mbPerCpuSecond }) => mbPerCpuSecond));
  console.log(
    `${perSecond.toFixed(0).padStart(6)} MB/s, ${perCpuSecond.toFixed(0).padStart(5)} MB per CPU-s  ` +
      `${name} (${rounds} rounds of ${megabytes} MB)`,
  );
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
