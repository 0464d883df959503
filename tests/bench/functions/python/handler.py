"""A handler as people write it in Python: boto3's deserialiser makes a dict of an image."""

from boto3.dynamodb.types import TypeDeserializer

deserializer = TypeDeserializer()


def handler(event, context):
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        order = {name: deserializer.deserialize(value) for name, value in image.items()}
        assert is_in_order(order)
    return {"batchItemFailures": []}


def is_in_order(order):
    """Looks at what the other languages' handlers look at."""
    pieces = sum(line["pieces"] for line in order["lines"] if line["sku"])
    texts = len(order["id"]) + len(order["customer"]) + sum(map(len, order["address"].values()))
    return pieces > 0 and texts > 0 and order["paid"] and order["total"] > 0
