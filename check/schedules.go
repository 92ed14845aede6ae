package check

import "context"

func (c *checker) schedules(context.Context) error  { return nil }
func (c *checker) duplicates(context.Context) error { return nil }
