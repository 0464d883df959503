// The clerk of examples/languages without gristmill: a line printed for each record.
"use strict";

exports.handler = async (event) => {
  for (const { eventName, eventSourceARN, dynamodb } of event.Records) {
    const [, table] = eventSourceARN.split("/");
    let text = `${eventName} ${table} keys ${JSON.stringify(dynamodb.Keys)}`;
    if (dynamodb.OldImage) text += ` old ${JSON.stringify(dynamodb.OldImage)}`;
    if (dynamodb.NewImage) text += ` new ${JSON.stringify(dynamodb.NewImage)}`;
    console.log(`event: ${text}`);
  }
  return { batchItemFailures: [] };
};
