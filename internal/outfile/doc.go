// Package outfile writes the files that a user names for output. A file is replaced in one step, or it stays as it is: a write that
// fails never shortens, removes or half writes what stood there. What is no regular file is written through.
package outfile
