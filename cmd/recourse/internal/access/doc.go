// Package access says who may call the service, and for which merchants: a file of tokens and names of
// certificates, each with the merchants and the verbs that it opens.
//
// What must not enter: HTTP, journals and rules. It knows names, and compares them byte for byte.
package access
