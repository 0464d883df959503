package gristmill

import (
	"log/slog"
	"runtime/debug"
	"unsafe"

	"github.com/gristmill/gristmill/guest-sdk/go/internal/host"
)

// maxStackBytes bounds a goroutine's stack, so that a recursion without end ends as such, and not by taking the memory that
// everything else needs: Go would let it have 1 GB.
const maxStackBytes = 16 << 20

// memoryLimitBytes is where the collector begins to work harder, so that a heap which fits in the 64 MiB that a guest has by
// default is not doubled beyond it. Code, data and the arena have 12 MiB of those. A handler that has more memory can say so
// with debug.SetMemoryLimit.
const memoryLimitBytes = 44 << 20

func init() {
	debug.SetMaxStack(maxStackBytes)
	debug.SetMemoryLimit(memoryLimitBytes)
	slog.SetDefault(slog.New(NewLogHandler()))
}

// mainMain is the program's main, which a reactor's runtime does not call by itself.
//
//go:linkname mainMain main.main
func mainMain()

var mainRan bool

// registration has nothing to do here: main goes on, and returns.
func registration() {}

//go:wasmexport gristmill:events/handler@0.1.0#handle
func exportHandle(self int32) unsafe.Pointer {
	if !mainRan {
		mainRan = true
		mainMain()
	}
	record := &Record{source: host.Record(self)}
	ctx := &callContext{}
	rejected, text, failed := run(ctx, record)
	ctx.end()
	record.end()
	host.Record(self).Drop()
	if failed {
		return host.Failed(rejected, text)
	}
	return host.Done()
}
