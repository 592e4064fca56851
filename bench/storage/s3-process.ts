/**
 * A process that stands in for S3 as one machine sees it from afar: `s3-process.ts MEGABYTES` serves one object,
 * whole or a range of it, after a latency of 30 ms and by 85 MB/s on each connection, which is what one connection
 * to S3 brings (Amazon S3 user guide, "Performance guidelines for Amazon S3"). Prints its port.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { crc64Nvme } from '../../listener/src/storage/crc.ts';

const LATENCY_MS = 30;
const BYTES_PER_MS = 85_000;
const WRITE_BYTES = 256 * 1024;

const body = Buffer.alloc(Number(process.argv[2]) * 1e6);
for (let at = 0; at < body.length; at += 8) body.writeDoubleLE(at, at);
const crc = crc64Nvme();
crc.update(body);
const checksum = crc.digest().toString('base64');

const server = createServer(async ({ headers }, response) => {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  await setTimeout(LATENCY_MS);
  if (start === undefined || last === undefined) {
    response.writeHead(200, {
      ETag: '"e1"',
      'Content-Length': body.length,
      'x-amz-checksum-crc64nvme': checksum,
      'x-amz-checksum-type': 'FULL_OBJECT',
    });
    await send(body, response);
  } else {
    const part = body.subarray(Number(start), Number(last) + 1);
    const range = `bytes ${start}-${last}/${body.length}`;
    response.writeHead(206, {
      ETag: '"e1"',
      'Content-Length': part.length,
      'Content-Range': range,
    });
    await send(part, response);
  }
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

async function send(bytes: Buffer, response: ServerResponse): Promise<void> {
  const begin = performance.now();
  for (let at = 0; at < bytes.length && !response.destroyed; at += WRITE_BYTES) {
    const early = at / BYTES_PER_MS - (performance.now() - begin);
    if (early > 0) await setTimeout(early);
    if (!response.write(bytes.subarray(at, at + WRITE_BYTES))) await drained(response);
  }
  response.end();
}

/** Also where the reader has hung up. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      response.off('drain', end).off('close', end);
      resolve();
    };
    response.on('drain', end).on('close', end);
  });
}
