// Package rules reads what merchants want: TOML files of rules, schedules, limits and
// contract lines, in three layers.
//
//	merchants/<merchant>.toml   first
//	<provider>.toml
//	baseline.toml               last
//
// Within the layers of a payment the first rule whose condition holds decides. The
// embedded files are the defaults; a folder of the user's replaces them file by file.
//
// This package knows the files and the positions in them, not what conditions mean: package
// engine compiles and checks them. No provider and no decision belongs here.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package rules
