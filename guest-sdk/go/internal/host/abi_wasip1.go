// Package host is the contract gristmill:events@0.1.0 as a component sees it: the host's functions, by the canonical ABI of
// the component model. It is written by hand from wit/events.wit. Natively there are stand-ins, so that a handler's unit
// tests run.
package host

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Everything that a call of the host gives comes through the arena. The host asks cabi_realloc for room, puts the text
// there, and the call's wrapper copies it into Go's heap. cabi_realloc runs within a call out of Go, where Go's allocator
// must not be asked. It may run before Go's runtime is ready, when the adapter for WASI preview 1 asks for memory of its
// own, which it keeps.
//
// An invocation's payload is at most 6 MB, and so is every text of it. Memory that is not touched costs nothing.
const arenaSize = 8 << 20

var (
	arena     [arenaSize]byte
	arenaUsed uint32
	// Up to here the adapter keeps what it got.
	arenaKept uint32
	// Calls of the host whose results are not all copied yet. More than one when the copy of a result lets another
	// goroutine run: it may take a turn at any allocation.
	calls int
)

// No stack may be split here, and nothing allocated. What finds no room gets an address that the host refuses: it traps,
// where zero would let it write over Go's own data.
//
//go:nosplit
//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, newSize uint32) unsafe.Pointer {
	base := uint32(uintptr(unsafe.Pointer(&arena)))
	from := (base+arenaUsed+align-1)&^(align-1) - base
	if newSize > arenaSize || from > arenaSize-newSize {
		return unsafe.Add(nil, -int(align))
	}
	arenaUsed = from + newSize
	if calls == 0 {
		arenaKept = arenaUsed
	}
	to := unsafe.Add(unsafe.Pointer(&arena), from)
	for i := uint32(0); i < oldSize && i < newSize; i++ {
		*(*byte)(unsafe.Add(to, i)) = *(*byte)(unsafe.Add(old, i))
	}
	return to
}

// begin and end are around every call that gives a text.
func begin() { calls++ }

func end() {
	if calls--; calls == 0 {
		arenaUsed = arenaKept
	}
}

// A text is a string of the canonical ABI: where it begins, and its length in bytes.
type text struct{ at, length uint32 }

// copy gives it as a string of Go's.
func (t text) copy() string {
	if t.length == 0 {
		return ""
	}
	from := t.at - uint32(uintptr(unsafe.Pointer(&arena)))
	return string(arena[from : from+t.length])
}

// An optionalText is option<string>: a byte, then the string at its alignment.
type optionalText struct {
	some uint8
	text text
}

// An optionalNumber is option<u64>.
type optionalNumber struct {
	some  uint8
	value uint64
}

// An optionalIdentity is option<identity>.
type optionalIdentity struct {
	some      uint8
	kind      text
	principal text
}

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.event-id
//go:noescape
func recordEventID(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.table
//go:noescape
func recordTable(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.stream-arn
//go:noescape
func recordStreamARN(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.region
//go:noescape
func recordRegion(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.sequence-number
//go:noescape
func recordSequenceNumber(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.event-name
func recordEventName(self int32) int32

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.size-bytes
//go:noescape
func recordSizeBytes(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.created-at-ms
//go:noescape
func recordCreatedAtMS(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.user-identity
//go:noescape
func recordUserIdentity(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.keys
//go:noescape
func recordKeys(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.new-image
//go:noescape
func recordNewImage(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.old-image
//go:noescape
func recordOldImage(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [method]stream-record.json
//go:noescape
func recordJSON(self int32, ret unsafe.Pointer)

//go:wasmimport gristmill:events/types@0.1.0 [resource-drop]stream-record
func recordDrop(self int32)

//go:wasmimport gristmill:events/invocation@0.1.0 request-id
//go:noescape
func invocationRequestID(ret unsafe.Pointer)

//go:wasmimport gristmill:events/invocation@0.1.0 handler
//go:noescape
func invocationHandler(ret unsafe.Pointer)

//go:wasmimport gristmill:events/invocation@0.1.0 function-name
//go:noescape
func invocationFunctionName(ret unsafe.Pointer)

//go:wasmimport gristmill:events/invocation@0.1.0 function-version
//go:noescape
func invocationFunctionVersion(ret unsafe.Pointer)

//go:wasmimport gristmill:events/invocation@0.1.0 attempt
func invocationAttempt() int32

//go:wasmimport gristmill:events/invocation@0.1.0 deadline-ms
//go:noescape
func invocationDeadlineMS(ret unsafe.Pointer)

//go:wasmimport gristmill:events/invocation@0.1.0 trace-header
//go:noescape
func invocationTraceHeader(ret unsafe.Pointer)

//go:wasmimport gristmill:events/log@0.1.0 write
//go:noescape
func logWrite(level int32, message unsafe.Pointer, length uint32, fields unsafe.Pointer, count uint32)

//go:wasmimport gristmill:events/log@0.1.0 print
//go:noescape
func logPrint(to int32, text unsafe.Pointer, length uint32)

// A Record is the handle of a record that the host keeps.
type Record int32

// Where the host puts what a call gives, one for all calls: what is in it is taken before anything can let another goroutine
// run. A variable of the call's own would be on the heap.
var (
	ret         text
	retOptional optionalText
)

func (r Record) string(call func(int32, unsafe.Pointer)) string {
	begin()
	call(int32(r), unsafe.Pointer(&ret))
	value := ret.copy()
	end()
	return value
}

func (r Record) optionalString(call func(int32, unsafe.Pointer)) (string, bool) {
	begin()
	call(int32(r), unsafe.Pointer(&retOptional))
	value, some := "", retOptional.some != 0
	if some {
		value = retOptional.text.copy()
	}
	end()
	return value, some
}

func (r Record) EventID() string              { return r.string(recordEventID) }
func (r Record) Table() string                { return r.string(recordTable) }
func (r Record) StreamARN() string            { return r.string(recordStreamARN) }
func (r Record) Region() string               { return r.string(recordRegion) }
func (r Record) SequenceNumber() string       { return r.string(recordSequenceNumber) }
func (r Record) KeysJSON() string             { return r.string(recordKeys) }
func (r Record) NewImageJSON() (string, bool) { return r.optionalString(recordNewImage) }
func (r Record) OldImageJSON() (string, bool) { return r.optionalString(recordOldImage) }
func (r Record) JSON() string                 { return r.string(recordJSON) }

// EventName is 0 for an insert, 1 for a modification, 2 for a removal.
func (r Record) EventName() int { return int(recordEventName(int32(r))) }

func (r Record) SizeBytes() (uint64, bool) {
	var ret optionalNumber
	recordSizeBytes(int32(r), unsafe.Pointer(&ret))
	return ret.value, ret.some != 0
}

func (r Record) CreatedAtMS() (uint64, bool) {
	var ret optionalNumber
	recordCreatedAtMS(int32(r), unsafe.Pointer(&ret))
	return ret.value, ret.some != 0
}

func (r Record) UserIdentity() (kind, principalID string, ok bool) {
	var ret optionalIdentity
	begin()
	recordUserIdentity(int32(r), unsafe.Pointer(&ret))
	if ret.some != 0 {
		kind, principalID = ret.kind.copy(), ret.principal.copy()
	}
	end()
	return kind, principalID, ret.some != 0
}

// Drop gives the record back. The host would take it back after the call, but not the handle's place in the table of this
// instance, which lives for many records.
func (r Record) Drop() { recordDrop(int32(r)) }

func invocationString(call func(unsafe.Pointer)) string {
	begin()
	call(unsafe.Pointer(&ret))
	value := ret.copy()
	end()
	return value
}

func RequestID() string       { return invocationString(invocationRequestID) }
func Handler() string         { return invocationString(invocationHandler) }
func FunctionName() string    { return invocationString(invocationFunctionName) }
func FunctionVersion() string { return invocationString(invocationFunctionVersion) }
func Attempt() int            { return int(uint32(invocationAttempt())) }

func DeadlineMS() (uint64, bool) {
	var ret optionalNumber
	invocationDeadlineMS(unsafe.Pointer(&ret))
	return ret.value, ret.some != 0
}

func TraceHeader() (string, bool) {
	var ret optionalText
	begin()
	invocationTraceHeader(unsafe.Pointer(&ret))
	value := ""
	if ret.some != 0 {
		value = ret.text.copy()
	}
	end()
	return value, ret.some != 0
}

// Log writes one line; the levels are 0 for trace to 5 for critical.
func Log(level int, message string, fields []Field) {
	// In one piece of memory of its own: an address must not change before the call, and what is on a goroutine's stack
	// may move.
	lines := make([]byte, 0, 512)
	ends := make([]uint32, 0, 2*len(fields))
	for _, field := range fields {
		lines = append(lines, Valid(field.Name)...)
		ends = append(ends, uint32(len(lines)))
		lines = append(lines, Valid(field.Value)...)
		ends = append(ends, uint32(len(lines)))
	}
	from := uint32(len(lines))
	lines = append(lines, Valid(message)...)
	base := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(lines))))
	texts := make([]text, len(ends))
	at := uint32(0)
	for i, end := range ends {
		texts[i] = text{base + at, end - at}
		at = end
	}
	logWrite(int32(level), unsafe.Add(unsafe.Pointer(unsafe.SliceData(lines)), from), uint32(len(lines))-from,
		unsafe.Pointer(unsafe.SliceData(texts)), uint32(len(fields)))
	pinned = lines
}

// pinned keeps the compiler from putting a line on the stack, and the collector from taking it before its call.
var pinned []byte

// Valid is a text as the contract takes it: the host traps at what is not UTF-8.
func Valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// result is result<_, failure>: whether it failed, whether it is a reject, and the text.
var result struct {
	failed   uint8
	rejected struct {
		is   uint8
		text text
	}
}

// resultText keeps what result points to.
var resultText string

// Done is the result of a call that succeeded.
func Done() unsafe.Pointer {
	result.failed = 0
	return unsafe.Pointer(&result)
}

// Failed is the result of a call that failed.
func Failed(rejected bool, message string) unsafe.Pointer {
	resultText = Valid(message)
	result.failed = 1
	result.rejected.is = 0
	if rejected {
		result.rejected.is = 1
	}
	result.rejected.text = text{uint32(uintptr(unsafe.Pointer(unsafe.StringData(resultText)))), uint32(len(resultText))}
	return unsafe.Pointer(&result)
}
