// Package breaker is a circuit breaker in two steps: the permit is taken before a call, and the
// result is given back after it, perhaps by another goroutine.
//
// It is our own, and not a library, because those that have two steps bring their test
// libraries into the module graph of everyone who imports the executor. docs/decisions tells
// more. The bench module holds it against a library in a property test.
package breaker
