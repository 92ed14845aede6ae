package ruletest

// Coverage placeholder.
type Coverage struct{}

// Mutations placeholder.
type Mutations struct{}
