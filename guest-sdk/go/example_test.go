package gristmill_test

import (
	"context"
	"fmt"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
	"github.com/gristmill/gristmill/guest-sdk/go/gristmilltest"
)

type Order struct {
	Customer string `dynamodbav:"customer"`
	Cents    uint32 `dynamodbav:"cents,required"`
}

func File(ctx context.Context, record *gristmill.Record) error {
	var order Order
	ok, err := record.NewImageInto(&order)
	if err != nil {
		return gristmill.Rejectf("not an order: %w", err)
	}
	if ok {
		fmt.Println("filed", order.Customer, order.Cents)
	}
	return nil
}

func Example() {
	record := gristmilltest.Insert("orders").Key("id", "1").Attribute("customer", "Tung")
	fmt.Println(File(context.Background(), record.Attribute("cents", 1200).Build()))
	fmt.Println(File(context.Background(), record.Attribute("cents", "free").Build()))
	// Output:
	// filed Tung 1200
	// <nil>
	// not an order: new image: cents: expected a number (N), found a string (S)
}

func ExampleRecord_NewImage() {
	record := gristmilltest.Insert("orders").Key("id", "1").Attribute("total", gristmill.N("1.50")).Build()
	image, err := record.NewImage()
	if err != nil {
		panic(err)
	}
	switch total := image["total"].(type) {
	case gristmill.N:
		fmt.Println("exactly", total)
	case nil:
		fmt.Println("no total")
	}
	fmt.Println(image)
	// Output:
	// exactly 1.50
	// {"id":{"S":"1"},"total":{"N":"1.50"}}
}

func ExampleRecord_Changes() {
	record := gristmilltest.Modify("orders").Key("id", "1").OldAttribute("status", "new").NewAttribute("status", "paid").Build()
	changes, err := record.Changes()
	if err != nil {
		panic(err)
	}
	for name, change := range changes {
		fmt.Println(name, change)
	}
	// Output:
	// status modified from {"S":"new"} to {"S":"paid"}
}
