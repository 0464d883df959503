// The new image into a struct.
package main

import (
	"context"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
)

type order struct {
	ID       string            `dynamodbav:"id"`
	Customer string            `dynamodbav:"customer"`
	Total    float64           `dynamodbav:"total"`
	Paid     bool              `dynamodbav:"paid"`
	Lines    []line            `dynamodbav:"lines"`
	Address  map[string]string `dynamodbav:"address"`
}

type line struct {
	SKU    string `dynamodbav:"sku"`
	Pieces uint32 `dynamodbav:"pieces"`
}

func main() { gristmill.Handle(read) }

func read(_ context.Context, record *gristmill.Record) error {
	var order order
	if ok, err := record.NewImageInto(&order); err != nil || !ok || !order.isInOrder() {
		return gristmill.Rejectf("no such order: %v", err)
	}
	return nil
}

// isInOrder looks at every part of it.
func (order *order) isInOrder() bool {
	var pieces uint32
	for _, line := range order.Lines {
		if line.SKU != "" {
			pieces += line.Pieces
		}
	}
	texts := len(order.ID) + len(order.Customer)
	for _, text := range order.Address {
		texts += len(text)
	}
	return pieces > 0 && texts > 0 && order.Paid && order.Total > 0
}
