package host

// A Field is a name and a value of a log line.
type Field struct{ Name, Value string }
