// Package region is an exact algebra of finite unions of boxes.
//
// A box constrains some dimensions, each to a set of its values: words as bits, texts as
// finite or cofinite sets, whole numbers as intervals. What a box does not name it leaves
// free. Intersection, difference and emptiness are exact; an operation that would need more
// boxes than its budget says so ([ErrTooComplex]) and claims nothing.
//
// What a dimension means is not known here; package space knows it. A twin in the tests
// enumerates points.
package region
