"""Writes to the table `orders` of an endpoint with boto3 in every way that DynamoDB has, and prints the changes that a
handler must get: a JSON object a line, `{"name": …, "new": image or null, "old": image or null}`, in the order of the
writes for each item.

    writes.py ENDPOINT
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError

client = boto3.client("dynamodb", endpoint_url=sys.argv[1], region_name="us-east-1")
TABLE = "orders"
items = {}


def plain(value):
    """As it stands in a stream record: bytes as base64."""
    import base64

    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def changed(key, new):
    old = items.get(key)
    name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    print(json.dumps({"name": name, "new": new and plain(new), "old": old and plain(old)}))
    if new is None:
        del items[key]
    else:
        items[key] = new


def item(key, **attributes):
    return {"id": {"S": key}, "do": {"S": "dump"}, **attributes}


# Every type, and what a float would lose.
every = item(
    "every",
    n={"N": "12345678901234567890123456789012345678"},
    small={"N": "-1.5"},
    b={"B": b"\x00\xff\x10"},
    ss={"SS": ["a", "b"]},
    ns={"NS": ["1", "2.5"]},
    bs={"BS": [b"\x01", b"\x02"]},
    yes={"BOOL": True},
    no={"BOOL": False},
    nothing={"NULL": True},
    text={"S": "é \" \\ \n 😀"},
    empty={"S": ""},
    m={"M": {"a": {"L": [{"S": "x"}, {"M": {}}]}}},
    l={"L": []},
)
client.put_item(TableName=TABLE, Item=every)
changed("every", every)
# The same values: no change.
client.put_item(TableName=TABLE, Item=every)
client.update_item(TableName=TABLE, Key={"id": {"S": "every"}}, UpdateExpression="SET #n = :n REMOVE b",
                   ExpressionAttributeNames={"#n": "n"}, ExpressionAttributeValues={":n": {"N": "2"}})
changed("every", {name: value for name, value in {**every, "n": {"N": "2"}}.items() if name != "b"})

batch = [item(f"batch-{number}") for number in range(5)]
client.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": one}} for one in batch]})
for one in batch:
    changed(one["id"]["S"], one)
client.batch_write_item(RequestItems={TABLE: [{"DeleteRequest": {"Key": {"id": {"S": "batch-0"}}}}]})
changed("batch-0", None)

first, second = item("t-1"), item("t-2")
client.transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": first}}, {"Put": {"TableName": TABLE, "Item": second}},
                                           {"Delete": {"TableName": TABLE, "Key": {"id": {"S": "batch-1"}}}}])
changed("t-1", first)
changed("t-2", second)
changed("batch-1", None)

# What fails changes nothing, a transaction as a whole.
for write in (
    lambda: client.put_item(TableName=TABLE, Item=item("t-1", x={"S": "x"}), ConditionExpression="attribute_not_exists(id)"),
    lambda: client.transact_write_items(TransactItems=[
        {"Put": {"TableName": TABLE, "Item": item("never")}},
        {"ConditionCheck": {"TableName": TABLE, "Key": {"id": {"S": "t-1"}}, "ConditionExpression": "attribute_not_exists(id)"}}]),
    lambda: client.put_item(TableName=TABLE, Item=item("large", x={"S": "x" * 410_000})),
):
    try:
        write()
    except ClientError as error:
        assert error.response["Error"]["Code"] in (
            "ConditionalCheckFailedException", "TransactionCanceledException", "ValidationException"), error
    else:
        raise AssertionError("that must fail")

client.delete_item(TableName=TABLE, Key={"id": {"S": "every"}})
changed("every", None)
client.delete_item(TableName=TABLE, Key={"id": {"S": "was never there"}})
