// Package draw makes random rules and random situations for tests: rules as a person might
// write them, with mistakes; situations as a flow with any past shows them to rules. Only
// tests import it.
package draw
