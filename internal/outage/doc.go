// Package outage plays payments through an outage of their provider: when they call, what the budgets and breakers
// delay, and how they end. The provider is an emulated one, which keeps its catalogue's contract; the payments, their times
// and what becomes of them are those of a recording.
//
// Whether a call that got no answer arrived is not known. Each outage is played twice, once as if none had arrived and once as if
// all had; what really happens lies between.
package outage
