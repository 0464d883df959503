package gristmill

import (
	"context"
	"log/slog"

	"github.com/gristmill/gristmill/guest-sdk/go/internal/host"
)

// The levels that log/slog has no name for.
const (
	// LevelTrace is for what is of use only while a handler is written.
	LevelTrace = slog.Level(-8)
	// LevelCritical is for what needs somebody at once: Lambda's FATAL.
	LevelCritical = slog.Level(12)
)

// levelNumber is the contract's level: that of the name at or below.
func levelNumber(level slog.Level) int {
	switch {
	case level < slog.LevelDebug:
		return 0
	case level < slog.LevelInfo:
		return 1
	case level < slog.LevelWarn:
		return 2
	case level < slog.LevelError:
		return 3
	case level < LevelCritical:
		return 4
	}
	return 5
}

// A LogHandler gives log lines to the host, one call a line. In a component it is log/slog's default, so slog.Info and its
// sisters go there, and so does log.Print with the level info.
//
// A group's attributes have its name and a dot before theirs. Lines of every level go to the host, which decides what to
// keep.
type LogHandler struct {
	prefix string
	fields []host.Field
}

// NewLogHandler is for a logger of your own. Natively its lines go to stderr.
func NewLogHandler() *LogHandler { return &LogHandler{} }

// Enabled is true for every level.
func (h *LogHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle writes one line.
func (h *LogHandler) Handle(_ context.Context, record slog.Record) error {
	fields := make([]host.Field, len(h.fields), len(h.fields)+record.NumAttrs())
	copy(fields, h.fields)
	record.Attrs(func(attribute slog.Attr) bool {
		fields = appendFields(fields, h.prefix, attribute)
		return true
	})
	host.Log(levelNumber(record.Level), record.Message, fields)
	return nil
}

// WithAttrs has these attributes in every line.
func (h *LogHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	fields := h.fields[:len(h.fields):len(h.fields)]
	for _, attribute := range attributes {
		fields = appendFields(fields, h.prefix, attribute)
	}
	return &LogHandler{h.prefix, fields}
}

// WithGroup has the name before those of what follows.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &LogHandler{h.prefix + name + ".", h.fields}
}

func appendFields(fields []host.Field, prefix string, attribute slog.Attr) []host.Field {
	value := attribute.Value.Resolve()
	if attribute.Equal(slog.Attr{}) {
		return fields
	}
	if value.Kind() != slog.KindGroup {
		return append(fields, host.Field{Name: prefix + attribute.Key, Value: value.String()})
	}
	if attribute.Key != "" {
		prefix += attribute.Key + "."
	}
	for _, inner := range value.Group() {
		fields = appendFields(fields, prefix, inner)
	}
	return fields
}
