//go:build !wasip1

// Package host is the contract gristmill:events@0.1.0. This is not a component and there is no host: each function gives
// what a unit test of a handler needs to run.
package host

import (
	"fmt"
	"os"
	"strings"
)

func RequestID() string           { return "00000000-0000-0000-0000-000000000000" }
func Handler() string             { return "handler" }
func FunctionName() string        { return "function" }
func FunctionVersion() string     { return "$LATEST" }
func Attempt() int                { return 1 }
func DeadlineMS() (uint64, bool)  { return 0, false }
func TraceHeader() (string, bool) { return "", false }

// Log writes the line to stderr.
func Log(level int, message string, fields []Field) {
	var line strings.Builder
	line.WriteString([...]string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"}[level] + " " + message)
	for _, field := range fields {
		fmt.Fprintf(&line, " %s=%q", field.Name, field.Value)
	}
	fmt.Fprintln(os.Stderr, line.String())
}
