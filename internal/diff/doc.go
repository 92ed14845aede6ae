// Package diff finds exactly what changes between two sets of rules: the situations whose
// decision changes, the limits and contract lines, and the facts of changed catalogues. Each
// change has the direction in which it moves the risk to money.
//
// It works on the regions of package space. A witness that both engines decided shows each
// difference. The order of risk is in docs/check.md. This package prints nothing.
package diff
