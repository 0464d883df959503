// A handler that does what a record's key attribute `case` says, as the conformance handlers of all languages do.
package main

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
	"github.com/gristmill/gristmill/guest-sdk/go/invocation"
)

func main() { gristmill.Handle(Run) }

type keys struct {
	Case string `dynamodbav:"case,required"`
}

// arguments are attributes of the new image.
type arguments struct {
	Text   *string           `dynamodbav:"text"`
	Bytes  int               `dynamodbav:"bytes"`
	Stream string            `dynamodbav:"stream"`
	Level  string            `dynamodbav:"level"`
	Fields map[string]string `dynamodbav:"fields"`
}

func (a arguments) text() string {
	if a.Text == nil {
		return ""
	}
	return *a.Text
}

// Run does one case.
func Run(ctx context.Context, record *gristmill.Record) error {
	var keys keys
	if err := record.KeysInto(&keys); err != nil {
		return gristmill.Reject(err)
	}
	switch keys.Case {
	case "echo":
		return echo(record)
	case "accessors":
		return accessors(ctx, record)
	}
	var arguments arguments
	if _, err := record.NewImageInto(&arguments); err != nil {
		return gristmill.Reject(err)
	}
	switch keys.Case {
	case "retry":
		return gristmill.Retry(errors.New(arguments.text()))
	case "reject":
		return gristmill.Rejectf("%s", arguments.text())
	case "throw":
		panic(arguments.text())
	case "trap":
		// Nothing will ever come: Go ends a program all of whose goroutines wait, and this cannot be recovered.
		<-make(chan struct{})
	case "exit":
		os.Exit(3)
	case "loop":
		for {
		}
	case "grow":
		grow()
	case "recurse":
		slog.Info("never", "depth", recurse(0))
	case "print":
		return printText(arguments)
	case "log":
		return log(ctx, arguments)
	case "clock":
		clock()
	case "random":
		return random()
	default:
		return gristmill.Rejectf("no such case: %s", keys.Case)
	}
	return nil
}

func echo(record *gristmill.Record) error {
	item, err := record.Keys()
	if err != nil {
		return gristmill.Reject(err)
	}
	fields := []any{"keys", item.JSON()}
	image, err := record.NewImage()
	if err != nil {
		return gristmill.Reject(err)
	}
	if image != nil {
		fields = append(fields, "new", image.JSON())
	}
	image, err = record.OldImage()
	if err != nil {
		return gristmill.Reject(err)
	}
	if image != nil {
		fields = append(fields, "old", image.JSON())
	}
	slog.Info("echo", fields...)
	return nil
}

func accessors(ctx context.Context, record *gristmill.Record) error {
	fields := []any{
		"event-id", record.EventID(),
		"table", record.Table(),
		"stream-arn", record.StreamARN(),
		"region", record.Region(),
		"sequence-number", record.SequenceNumber(),
		"event-name", record.EventName(),
		"ttl-delete", record.IsTTLDelete(),
		"json", record.JSON(),
		"request-id", invocation.RequestID(),
		"handler", invocation.Handler(),
		"function-name", invocation.FunctionName(),
		"function-version", invocation.FunctionVersion(),
		"attempt", invocation.Attempt(),
		"display", record,
	}
	if size, ok := record.SizeBytes(); ok {
		fields = append(fields, "size-bytes", size)
	}
	if created, ok := record.CreatedAt(); ok {
		fields = append(fields, "created-at-ms", created.UnixMilli())
	}
	if identity, ok := record.UserIdentity(); ok {
		fields = append(fields, "identity-type", identity.Type, "identity-principal-id", identity.PrincipalID)
	}
	if deadline, ok := ctx.Deadline(); ok {
		fields = append(fields, "deadline-ms", deadline.UnixMilli())
	}
	if header, ok := invocation.TraceHeader(); ok {
		fields = append(fields, "trace-header", header)
	}
	slog.Info("accessors", fields...)
	return nil
}

var kept [][]byte

func grow() {
	for {
		block := make([]byte, 1<<20)
		for at := range block {
			block[at] = 1
		}
		kept = append(kept, block)
	}
}

//go:noinline
func recurse(depth int) int { return recurse(depth+1) + 1 }

func printText(arguments arguments) error {
	var out io.Writer = os.Stdout
	if arguments.Stream == "stderr" {
		out = os.Stderr
	}
	text := strings.Repeat("x", arguments.Bytes)
	if arguments.Text != nil {
		text = *arguments.Text
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

func log(ctx context.Context, arguments arguments) error {
	levels := map[string]slog.Level{
		"trace":    gristmill.LevelTrace,
		"debug":    slog.LevelDebug,
		"info":     slog.LevelInfo,
		"warn":     slog.LevelWarn,
		"error":    slog.LevelError,
		"critical": gristmill.LevelCritical,
	}
	level, ok := levels[arguments.Level]
	if !ok {
		return gristmill.Rejectf("no such level: %s", arguments.Level)
	}
	var fields []any
	for name, value := range arguments.Fields {
		fields = append(fields, name, value)
	}
	slog.Log(ctx, level, arguments.text(), fields...)
	return nil
}

func clock() {
	first := time.Now()
	second := time.Now()
	for second.UnixNano()-first.UnixNano() < int64(2*time.Millisecond) {
		second = time.Now()
	}
	ms := func(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMicro())/1000, 'f', 3, 64) }
	slog.Info("clock", "first-ms", ms(first), "second-ms", ms(second))
}

func random() error {
	var secure [8]byte
	if _, err := cryptorand.Read(secure[:]); err != nil {
		return err
	}
	slog.Info("random", "first", fmt.Sprintf("%016x", rand.Uint64()), "second", hex.EncodeToString(secure[:]))
	return nil
}
