package gristmill

import (
	"context"
	"time"

	"github.com/gristmill/gristmill/guest-sdk/go/internal/host"
)

// A callContext is the context of one call. The host is asked for the deadline, and a timer set, only when somebody wants to
// know: most handlers never do.
type callContext struct {
	inner  context.Context
	cancel context.CancelFunc
	over   bool
}

func (c *callContext) context() context.Context {
	if c.inner == nil {
		if deadline, ok := c.Deadline(); ok {
			c.inner, c.cancel = context.WithDeadline(context.Background(), deadline)
		} else {
			c.inner, c.cancel = context.WithCancel(context.Background())
		}
		if c.over {
			c.cancel()
		}
	}
	return c.inner
}

// end is when the handler has returned.
func (c *callContext) end() {
	c.over = true
	if c.cancel != nil {
		c.cancel()
	}
}

func (c *callContext) Deadline() (time.Time, bool) {
	if c.inner != nil {
		return c.inner.Deadline()
	}
	ms, ok := host.DeadlineMS()
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)), true
}

func (c *callContext) Done() <-chan struct{} { return c.context().Done() }
func (c *callContext) Err() error            { return c.context().Err() }

// Value knows no keys but those by which package context finds its own contexts.
func (c *callContext) Value(key any) any { return c.context().Value(key) }
