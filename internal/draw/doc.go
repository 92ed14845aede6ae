// Package draw draws random rules and random situations for tests. The rules are as a person
// may write them, with mistakes. The situations are as a flow may give them to rules, after any
// earlier attempts. Only tests import it.
package draw
