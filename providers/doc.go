// Package providers holds what is known of payment providers, as data: the codes
// and statuses of each with what they prove, how to read their bodies, and what
// they promise about identities.
//
// A provider is one TOML file; there is no Go code for any of them, and a seventh
// provider is added by writing a seventh file (see [Catalogs.Add]). The files of the
// built-in six are embedded.
//
// No rule and no decision belongs here: what a merchant wants done about a fact is for
// packages rules and engine.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package providers
