// Package testkit holds what the tests of several packages need: text archives, and folders of rules.
// Only tests import it.
package testkit
