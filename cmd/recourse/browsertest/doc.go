// Package browsertest holds the tests of the page that `recourse simulate --html` writes, in headless Chromium. It is a module of
// its own: the command does not need what drives a browser.
package browsertest
