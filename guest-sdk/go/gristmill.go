// Package gristmill is for handlers of DynamoDB stream records that gristmill runs.
//
// A handler is a function, and one line in main:
//
//	func main() { gristmill.Handle(File) }
//
//	type Customer struct {
//		Name string `dynamodbav:"name"`
//	}
//
//	func File(ctx context.Context, record *gristmill.Record) error {
//		var customer Customer
//		if ok, err := record.NewImageInto(&customer); err != nil || !ok {
//			return err
//		}
//		slog.Info("filed", "name", customer.Name)
//		return nil
//	}
//
// Success means that the record need not come again. Any error means that it must: deliver it again. What will never go
// better is [Reject]. A panic is an error too, with its stack on stderr; what Go itself cannot recover from (a deadlock, no
// memory, a stack without end) ends the instance, and costs this record alone.
//
// What is in a record: [Record]. An image comes as a type of your own ([Record.NewImageInto]), as a tree ([Record.NewImage],
// [AttributeValue]), or as text. What is around it: the package invocation. Log lines: log/slog.
//
// What a change did to an item: [Record.Changed], [Record.Changes].
//
// The package compiles natively, so a unit test makes records with the package gristmilltest and calls the function.
package gristmill

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// A HandlerFunc does with one record what the handler is for. The context's deadline is when the host stops the call, and
// it is cancelled when the function returns.
type HandlerFunc func(ctx context.Context, record *Record) error

var (
	registered   HandlerFunc
	registeredAt string
)

// Handle makes a function the handler of this component, once, in main or an init function.
//
// In a component main runs once, before the first record, and returns: it is not kept running. In a native program Handle
// ends it, with a line that says how to run the handler.
func Handle(function HandlerFunc) {
	_, file, line, _ := runtime.Caller(1)
	at := fmt.Sprintf("%s:%d", file, line)
	switch {
	case function == nil:
		panic("gristmill: Handle was given no function at " + at)
	case registered != nil:
		panic("gristmill: Handle was called twice, at " + registeredAt + " and at " + at + "; a component has one handler")
	}
	registered, registeredAt = function, at
	registration()
}

const noHandler = "no handler: call gristmill.Handle(F) in the function main of package main"

// run calls the handler. A panic becomes an error, since its text is of more use than a trap's.
func run(ctx context.Context, record *Record) (rejected bool, text string, failed bool) {
	if registered == nil {
		return false, noHandler, true
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		panicked := recover()
		if panicked == nil {
			// runtime.Goexit, which cannot be undone: there is no result to wait for.
			fmt.Fprintln(os.Stderr, "gristmill: the handler called runtime.Goexit")
			os.Exit(2)
		}
		rejected, text, failed = false, fmt.Sprint("panic: ", panicText(panicked)), true
		fmt.Fprintf(os.Stderr, "%s\n%s", text, debug.Stack())
	}()
	err := registered(ctx, record)
	if err != nil {
		rejected, text, failed = isReject(err), err.Error(), true
	}
	returned = true
	return rejected, text, failed
}

// panicText is the panic's value as a text. Its own method may panic in turn.
func panicText(panicked any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T, which cannot be printed", panicked)
		}
	}()
	if err, ok := panicked.(error); ok {
		return err.Error()
	}
	return fmt.Sprint(panicked)
}
