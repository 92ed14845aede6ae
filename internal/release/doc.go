// Command release writes the modules of this repository as a file-system Go module proxy, as
// they will be served once the version is tagged.
//
//	go run ./internal/release -out DIR
//	GOPROXY=file://DIR,$(go env GOPROXY) GONOSUMDB=github.com/recourse-pay go get github.com/recourse-pay/recourse@v0.1.0
//
// The nested modules require the core at a version that does not exist before the tag. This
// program makes that version available to a check (.ci/release-check), so that a mistake is
// found before the tag and not after it.
//
// The layout is the one of https://go.dev/ref/mod#goproxy-protocol. Each zip file holds what
// git tracks in the module's folder, without the folders of nested modules. The standard
// library is all it needs.
package main
