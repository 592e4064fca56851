import { startListener } from './listener-process.ts';
import { topicArnOf } from './localstack.ts';

/** A process of its own that starts the listener, says where, and waits to be killed. */
const { url } = await startListener({
  localStack: { url: 'http://127.0.0.1:9' },
  databaseUrl: process.argv[2] ?? '',
  environment: { SNS_TOPIC_ARNS: topicArnOf('topic') },
});
console.log(url);
