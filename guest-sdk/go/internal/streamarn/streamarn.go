// Package streamarn reads the ARN of a DynamoDB stream, for records that are made natively.
package streamarn

import "strings"

// Parse reads arn:aws:dynamodb:us-west-2:112233445566:table/NAME/stream/LABEL.
func Parse(arn string) (region, table string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" {
		return "", "", false
	}
	name, found := strings.CutPrefix(parts[5], "table/")
	table, _, ok = strings.Cut(name, "/stream/")
	return parts[3], table, ok && found
}
