// Package certificate is the file of a proof: the rules, what the catalogue and the contract say, what the rules decide about each
// class of answers, the promises that are needed, and a set of states. It proves nothing and checks nothing;
// internal/verify writes it, and internal/certify checks it.
package certificate
