//go:build slow

package testkit

// Slow reports whether the slow tier runs.
const Slow = true
