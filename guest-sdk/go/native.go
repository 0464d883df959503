//go:build !wasip1

package gristmill

import (
	"fmt"
	"os"
	"testing"
)

// registration ends a program that was started natively by mistake.
func registration() {
	if testing.Testing() {
		return
	}
	fmt.Fprintln(os.Stderr, "this is a handler for gristmill: `gristmill build` makes a component of it, and `gristmill invoke` runs it")
	os.Exit(2)
}
