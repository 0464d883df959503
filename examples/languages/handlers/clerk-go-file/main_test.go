package main

import (
	"testing"

	"github.com/gristmill/gristmill/guest-sdk/go/gristmilltest"
)

func TestAChangeIsHandled(t *testing.T) {
	record := gristmilltest.Modify("test-table").
		Key("id", "1").
		OldAttribute("name", "Tung").
		NewAttribute("name", "Tung Nguyen").
		Build()
	if err := File(t.Context(), record); err != nil {
		t.Fatal(err)
	}
}
