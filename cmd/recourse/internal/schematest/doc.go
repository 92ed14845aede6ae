// Package schematest builds the JSON Schemas of package schema from the parsers' own words, and holds the files
// that ship against them. It stands apart from package schema because it needs a schema validator, which users of
// the library do not.
package schematest
