package gristmill

import (
	"errors"
	"fmt"
)

// A RejectError is a failure that will never go better.
type RejectError struct{ Err error }

// A RetryError is a failure that may go better next time, as every error is that is not a [RejectError]. Around one it makes
// a retry of it: of several in a chain, the outermost decides.
type RetryError struct{ Err error }

func (e *RejectError) Error() string { return textOf(e.Err, "rejected") }
func (e *RejectError) Unwrap() error { return e.Err }

func (e *RetryError) Error() string { return textOf(e.Err, "to be tried again") }
func (e *RetryError) Unwrap() error { return e.Err }

func textOf(err error, without string) string {
	if err == nil {
		return without
	}
	return err.Error()
}

// Reject says that the record will never go better. It is a failure for a nil error too.
//
// Wrapped by fmt.Errorf("order 7: %w", …), a rejection stays one.
func Reject(err error) error { return &RejectError{err} }

// Rejectf is [Reject] of fmt.Errorf.
func Rejectf(format string, arguments ...any) error {
	return &RejectError{fmt.Errorf(format, arguments...)}
}

// Retry says that the record may go better next time. It is a failure for a nil error too.
func Retry(err error) error { return &RetryError{err} }

// Retryf is [Retry] of fmt.Errorf.
func Retryf(format string, arguments ...any) error {
	return &RetryError{fmt.Errorf(format, arguments...)}
}

// isReject tells which of the two is outermost.
func isReject(err error) bool {
	for err != nil {
		switch err := err.(type) {
		case *RejectError:
			return true
		case *RetryError:
			return false
		case interface{ Unwrap() []error }:
			// Of several that were joined, all must be hopeless: a retry does no harm.
			all := err.Unwrap()
			for _, one := range all {
				if !isReject(one) {
					return false
				}
			}
			return len(all) > 0
		}
		err = errors.Unwrap(err)
	}
	return false
}
