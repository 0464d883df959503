"""The clerk of examples/languages without gristmill: a line printed for each record."""

import json


def handler(event, context):
    for record in event["Records"]:
        change = record["dynamodb"]
        table = record["eventSourceARN"].split("/")[1]
        text = f"{record['eventName']} {table} keys {compact(change['Keys'])}"
        if "OldImage" in change:
            text += f" old {compact(change['OldImage'])}"
        if "NewImage" in change:
            text += f" new {compact(change['NewImage'])}"
        print(f"event: {text}")
    return {"batchItemFailures": []}


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
