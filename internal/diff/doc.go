// Package diff says exactly what changes between two sets of rules: the situations whose
// decision is another one, the limits and contract lines, the facts of changed catalogues,
// each with the direction in which it moves the risk to money.
//
// It works on the regions of package space, and every difference is shown by a witness that
// was put to both engines. The order of risk is in docs/check.md. Nothing is printed here.
package diff
