import { startLocalStack } from './localstack.ts';

/** A process of its own that starts LocalStack, says where, and waits to be killed. */
const { url } = await startLocalStack();
console.log(url);
