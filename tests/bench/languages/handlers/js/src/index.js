// The new image into an object, as in tests/bench/functions/node.
import { Reject } from 'gristmill';

export default function read(record) {
  if (!isInOrder(record.newImage())) throw new Reject('no such order');
}

function isInOrder(order) {
  const pieces = order.lines.reduce((sum, line) => sum + (line.sku ? line.pieces : 0), 0);
  const texts = [order.id, order.customer, ...Object.values(order.address)].reduce((sum, text) => sum + text.length, 0);
  return pieces > 0 && texts > 0 && order.paid && order.total > 0;
}
