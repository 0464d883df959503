"""What is written with boto3 against what the stream then has.

Usage: sdk.py URL      with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_DEFAULT_REGION set
"""

import re
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = sys.argv[1]
# Without retries: what fails is to be seen.
config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
db = boto3.client("dynamodb", endpoint_url=URL, config=config)
streams = boto3.client("dynamodbstreams", endpoint_url=URL, config=config)


def create(table, view_type="NEW_AND_OLD_IMAGES", keys=(("id", "S"),)):
    db.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for (name, _), kind in zip(keys, ["HASH", "RANGE"])],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view_type},
    )
    db.get_waiter("table_exists").wait(TableName=table)
    return table


def records(table):
    arn = db.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    found = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
        page = streams.get_records(ShardIterator=iterator["ShardIterator"], Limit=1000)
        found += page["Records"]
    for record in found:
        assert record["eventSource"] == "aws:dynamodb" and record["eventVersion"] == "1.1" and record["awsRegion"] == "us-east-1"
        assert re.fullmatch("[0-9a-f]{32}", record["eventID"]), record
        assert re.fullmatch(r"\d{21,40}", record["dynamodb"]["SequenceNumber"]), record
        age = time.time() - record["dynamodb"]["ApproximateCreationDateTime"].timestamp()
        assert -2 < age < 600, age
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in found]
    assert numbers == sorted(set(numbers)), numbers
    assert len({record["eventID"] for record in found}) == len(found)
    return found


def names(table):
    return [record["eventName"] for record in records(table)]


def refused(code, operation, **request):
    try:
        operation(**request)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error
    raise AssertionError(f"{request} was done")


# Every kind of value, as it was written, and what it weighs.
table = create("kinds")
item = {
    "id": {"S": "k"},
    "b": {"B": b"\x00\x01\xff"},
    "n": {"N": "42"},
    "precise": {"N": "12345678901234567890123456789012345678"},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2.5"]},
    "bs": {"BS": [b"x", b"yz"]},
    "m": {"M": {"l": {"L": [{"S": "é"}, {"BOOL": True}, {"NULL": True}]}}},
    "empty": {"S": ""},
}
db.put_item(TableName=table, Item=item)
[record] = records(table)
image = record["dynamodb"]["NewImage"]


def sorted_sets(value):
    return {name: {k: sorted(v) if k in ("SS", "NS", "BS") else v for k, v in av.items()} for name, av in value.items()}


assert sorted_sets(image) == sorted_sets(item), image
size = (2 + 1) + (1 + 3) + (1 + 2) + (7 + 20) + (2 + 2) + (2 + 2 + 3) + (2 + 3)
size += (1 + 3 + 1 + 1 + 3 + 3 + 2 + 1 + 1) + 5
assert record["dynamodb"]["SizeBytes"] == 3 + size, (record["dynamodb"]["SizeBytes"], 3 + size)
# The same item spelt otherwise is no change.
again = dict(item, n={"N": "4.2e1"}, ss={"SS": ["b", "a"]}, ns={"NS": ["2.50", "1.0"]}, bs={"BS": [b"yz", b"x"]})
db.put_item(TableName=table, Item=again)
assert names(table) == ["INSERT"]

# Updates: of a key that is missing, that change, and that do not.
table = create("updates")
update = dict(TableName=table, Key={"id": {"S": "a"}}, UpdateExpression="SET v = :v")
db.update_item(ExpressionAttributeValues={":v": {"N": "1"}}, **update)
db.update_item(ExpressionAttributeValues={":v": {"N": "1.0"}}, **update)
db.update_item(ExpressionAttributeValues={":v": {"N": "2"}}, **update)
assert names(table) == ["INSERT", "MODIFY"]

# Conditions that fail change nothing and make no record.
condition = dict(ConditionExpression="attribute_not_exists(id)")
refused("ConditionalCheckFailedException", db.put_item, TableName=table, Item={"id": {"S": "a"}}, **condition)
refused("ConditionalCheckFailedException", db.delete_item, TableName=table, Key={"id": {"S": "a"}}, **condition)
db.delete_item(TableName=table, Key={"id": {"S": "not there"}})
assert names(table) == ["INSERT", "MODIFY"]
db.delete_item(TableName=table, Key={"id": {"S": "a"}})
assert names(table) == ["INSERT", "MODIFY", "REMOVE"]
remove = records(table)[2]
assert remove["dynamodb"]["OldImage"] == {"id": {"S": "a"}, "v": {"N": "2"}} and "NewImage" not in remove["dynamodb"]
assert "userIdentity" not in remove

# Batches, with puts that change nothing among them.
table = create("batches", keys=(("p", "S"), ("s", "N")))
puts = [{"PutRequest": {"Item": {"p": {"S": "p"}, "s": {"N": str(n)}, "v": {"S": "x"}}}} for n in range(25)]
db.batch_write_item(RequestItems={table: puts})
db.batch_write_item(RequestItems={table: puts[:10] + [{"DeleteRequest": {"Key": {"p": {"S": "p"}, "s": {"N": "20"}}}}]})
assert names(table) == ["INSERT"] * 25 + ["REMOVE"]
assert records(table)[25]["dynamodb"]["Keys"] == {"p": {"S": "p"}, "s": {"N": "20"}}

# A transaction makes one record for each changed item, in their order; a cancelled one makes none.
table = create("transactions")
put = lambda n, v: {"Put": {"TableName": table, "Item": {"id": {"S": str(n)}, "v": {"S": v}}}}
db.transact_write_items(TransactItems=[put(3, "a"), put(1, "a"), put(2, "a")], ClientRequestToken="token-1")
db.transact_write_items(TransactItems=[put(3, "a"), put(1, "a"), put(2, "a")], ClientRequestToken="token-1")
db.transact_write_items(TransactItems=[put(3, "a"), put(1, "b")])
check = {"ConditionCheck": {"TableName": table, "Key": {"id": {"S": "9"}}, "ConditionExpression": "attribute_exists(id)"}}
error = refused("TransactionCanceledException", db.transact_write_items, TransactItems=[put(4, "a"), check])
assert [reason["Code"] for reason in error.response["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
refused("IdempotentParameterMismatchException", db.transact_write_items, TransactItems=[put(5, "a")], ClientRequestToken="token-1")
found = [(record["dynamodb"]["Keys"]["id"]["S"], record["eventName"]) for record in records(table)]
assert found == [("3", "INSERT"), ("1", "INSERT"), ("2", "INSERT"), ("1", "MODIFY")], found
db.execute_statement(Statement=f"INSERT INTO \"{table}\" VALUE {{'id': 'by-statement', 'v': 'x'}}")
assert names(table)[-1] == "INSERT"

# Time to live: what is over goes, as a deletion of the service.
table = create("ttl", "OLD_IMAGE")
db.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
assert db.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"] == "until"
db.put_item(TableName=table, Item={"id": {"S": "over"}, "until": {"N": str(int(time.time()) - 5)}})
db.put_item(TableName=table, Item={"id": {"S": "not yet"}, "until": {"N": str(int(time.time()) + 600)}})
limit = time.time() + 20
while "Item" in db.get_item(TableName=table, Key={"id": {"S": "over"}}):
    assert time.time() < limit, "the item whose time is over is still there"
    time.sleep(0.05)
found = records(table)
assert [record["eventName"] for record in found].count("REMOVE") == 1
[remove] = [record for record in found if record["eventName"] == "REMOVE"]
assert remove["userIdentity"] == {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}, remove
assert remove["dynamodb"]["Keys"] == {"id": {"S": "over"}}

# What an SDK must understand of refusals.
refused("ResourceNotFoundException", db.describe_table, TableName="no-such-table")
refused("ResourceInUseException", create, table="ttl")
refused("ValidationException", db.put_item, TableName="ttl", Item={"other": {"S": "a"}})
refused("ValidationException", db.put_item, TableName="ttl", Item={"id": {"S": "large"}, "v": {"S": "x" * 410_000}})
refused("ResourceNotFoundException", streams.describe_stream, StreamArn="arn:aws:dynamodb:us-east-1:000000000000:table/no/stream/x")
refused("UnknownOperationException", db.describe_limits)
db.delete_table(TableName="ttl")
db.get_waiter("table_not_exists").wait(TableName="ttl")
print("records are what was written")
