package executor

// ReadReply is readReply, for tests.
var ReadReply = readReply
