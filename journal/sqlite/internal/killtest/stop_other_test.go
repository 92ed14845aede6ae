//go:build !unix

package killtest_test

func pause() {}
