// What main.ts loads first, so that stacks in tests are synthesized as there: cdktf takes a stack
// trace for each token otherwise, which Vite makes dear.
import '../../src/stack/lighten-cdktf.ts';
