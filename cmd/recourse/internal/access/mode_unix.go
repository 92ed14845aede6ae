//go:build unix

package access

// permissioned says whether the permissions of a file say who can read it.
const permissioned = true
