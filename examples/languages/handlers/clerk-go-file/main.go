// clerk-go-file: called for each record of a table's stream.
package main

import (
	"context"
	"fmt"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
)

func main() { gristmill.Handle(File) }

// File is called once for each record. Success (nil) means that it need
// not come again; any error means that it must.
func File(ctx context.Context, record *gristmill.Record) error {
	fmt.Println("event:", record)
	return nil
}
