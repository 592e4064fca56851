/**
 * Lets a Go program collect no garbage before it is large (Go, "A Guide to the Go Garbage
 * Collector"): most of those that tests start end long before that.
 */
export const GO_MEMORY = { GOGC: 'off', GOMEMLIMIT: '1GiB' };
