// Package browsertest holds the tests, in headless Chromium, of the page that `recourse simulate --html` writes and of the console that
// the admin handler serves. It is a module of its own: the command does not need what drives a browser.
package browsertest
