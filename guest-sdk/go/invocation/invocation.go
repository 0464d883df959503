// Package invocation is what a handler can know about the invocation that it runs in.
//
// Each function is one call of the host, below a microsecond. Natively, where there is no host, each gives the stand-in that
// its documentation names, so that a unit test of a handler runs.
package invocation

import (
	"time"

	"github.com/gristmill/gristmill/guest-sdk/go/internal/host"
)

// RequestID is the id of the Lambda invocation. A delivery that repeats an unchanged batch keeps its id.
//
// Natively 00000000-0000-0000-0000-000000000000.
func RequestID() string { return host.RequestID() }

// Handler is this handler's name in the manifest. Natively "handler".
func Handler() string { return host.Handler() }

// FunctionName is the name of the Lambda function, or of what stands in for it. Natively "function".
func FunctionName() string { return host.FunctionName() }

// FunctionVersion is the version of the Lambda function. Natively "$LATEST".
func FunctionVersion() string { return host.FunctionVersion() }

// Attempt is which try this is, as far as this execution environment knows: the tries of this record at this handler that
// failed here, and this one. At least 1. A call that was cut for want of time is no try.
//
// A lower bound, not for decisions: another environment may have tried before. Natively 1.
func Attempt() int { return host.Attempt() }

// Deadline is when the host will stop this call; not ok when nothing limits it, as natively. It is the deadline of the
// handler's context too.
func Deadline() (deadline time.Time, ok bool) {
	ms, ok := host.DeadlineMS()
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)), true
}

// Remaining is the time that is left until the host stops this call, zero when it is past. Not ok when nothing limits it.
func Remaining() (remaining time.Duration, ok bool) {
	deadline, ok := Deadline()
	if !ok {
		return 0, false
	}
	return max(0, time.Until(deadline)), true
}

// TraceHeader is the AWS X-Ray trace header of the invocation; not ok when there is none, as natively.
func TraceHeader() (header string, ok bool) { return host.TraceHeader() }
