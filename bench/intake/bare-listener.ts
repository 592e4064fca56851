/**
 * The least that intake could be: node:http, one signature check on the thread pool and one committed
 * INSERT, with nothing of what makes it safe (limits, duplicates, age, runs, jobs, logs).
 */
import { verify, X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';

const { DATABASE_URL, DB_POOL_SIZE, CERTIFICATE = '' } = process.env;
const { publicKey } = new X509Certificate(CERTIFICATE);
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(DB_POOL_SIZE) });

const server = createServer(async (request, response) => {
  const message = JSON.parse(await text(request));
  if (await isGenuine(message)) {
    await pool.query('INSERT INTO bare_messages (message_id, message) VALUES ($1, $2)', [
      message.MessageId,
      message.Message,
    ]);
    response.end();
  } else {
    response.writeHead(403).end();
  }
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ msg: 'listening', port }));
});

function isGenuine(message: Readonly<Record<string, string>>): Promise<boolean> {
  const { Message, MessageId, Subject, Timestamp, TopicArn, Type, Signature = '' } = message;
  const content =
    `Message\n${Message}\nMessageId\n${MessageId}\nSubject\n${Subject}\n` +
    `Timestamp\n${Timestamp}\nTopicArn\n${TopicArn}\nType\n${Type}\n`;
  return new Promise((resolve, reject) => {
    verify(
      'RSA-SHA256',
      Buffer.from(content),
      publicKey,
      Buffer.from(Signature, 'base64'),
      (error, matches) => (error ? reject(error) : resolve(matches)),
    );
  });
}
