// Property tests draw other inputs at each run, and fast-check prints the seed of those that fail. In
// CI they draw the same ones: whether a change lands must not depend on what somebody else's test drew.
import fc from 'fast-check';

if (process.env.CI) fc.configureGlobal({ seed: 20_261_129 });
