// A handler as people write it in JavaScript: AWS's `unmarshall` makes an object of an image.
"use strict";

const { unmarshall } = require("@aws-sdk/util-dynamodb");

exports.handler = async (event) => {
  for (const record of event.Records) {
    const order = unmarshall(record.dynamodb.NewImage);
    if (!isInOrder(order)) {
      throw new Error("no such order");
    }
  }
  return { batchItemFailures: [] };
};

// Looks at what the other languages' handlers look at.
function isInOrder(order) {
  const pieces = order.lines.reduce((sum, line) => sum + (line.sku ? line.pieces : 0), 0);
  const texts = [order.id, order.customer, ...Object.values(order.address)].reduce((sum, text) => sum + text.length, 0);
  return pieces > 0 && texts > 0 && order.paid && order.total > 0;
}
