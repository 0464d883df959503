"""The walk-through with the real AWS CLI, and the stream read by `aws dynamodbstreams`.

Usage: cli.py URL      with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_DEFAULT_REGION set
"""

import json
import re
import shlex
import subprocess
import sys

URL = sys.argv[1]


def aws(command, fails=None):
    """Runs a command as it stands in the documentation, and gives its answer."""
    words = shlex.split(command)
    assert words[:3] == ["aws", "--endpoint-url", "http://127.0.0.1:8000"], command
    words[2] = URL
    done = subprocess.run([sys.executable, "-m", "awscli", *words[1:]], capture_output=True, text=True, timeout=60)
    if fails:
        assert done.returncode != 0 and fails in done.stderr, f"{command}: {done.returncode} {done.stderr}"
        return None
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip() else None


AT = "aws --endpoint-url http://127.0.0.1:8000"
TABLE = "--table-name demo-dev_test-table"

created = aws(f"{AT} dynamodb create-table {TABLE} --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH --billing-mode PAY_PER_REQUEST")
assert "LatestStreamArn" not in created["TableDescription"], created
updated = aws(f"""{AT} dynamodb update-table {TABLE} --stream-specification "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES" """)
arn = updated["TableDescription"]["LatestStreamArn"]
assert re.fullmatch(r"arn:aws:dynamodb:us-east-1:000000000000:table/demo-dev_test-table/stream/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", arn), arn
assert arn.endswith("/stream/" + updated["TableDescription"]["LatestStreamLabel"])
aws(f"""{AT} dynamodb put-item {TABLE} --item '{{"id": {{"S": "id-1"}}, "name": {{"S": "name-1"}}}}'""")
aws(f"""{AT} dynamodb put-item {TABLE} --item '{{"id": {{"S": "id-1"}}, "name": {{"S": "name-1"}}}}'""")
aws(f"""{AT} dynamodb put-item {TABLE} --item '{{"id": {{"S": "id-1"}}, "name": {{"S": "name-1-edit-1"}}}}'""")

# describe-table's fields of streams.
table = aws(f"{AT} dynamodb describe-table {TABLE}")["Table"]
assert table["TableStatus"] == "ACTIVE"
assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
assert table["LatestStreamArn"] == arn

# The stream, by the CLI alone.
streams = aws(f"{AT} dynamodbstreams list-streams {TABLE}")["Streams"]
assert [stream["StreamArn"] for stream in streams] == [arn]
description = aws(f"{AT} dynamodbstreams describe-stream --stream-arn {arn}")["StreamDescription"]
assert description["StreamStatus"] == "ENABLED" and len(description["Shards"]) == 1, description
shard = description["Shards"][0]
assert "EndingSequenceNumber" not in shard["SequenceNumberRange"]
# The CLI refuses an id or a number of a wrong length before it sends anything.
iterator = aws(f"{AT} dynamodbstreams get-shard-iterator --stream-arn {arn} --shard-id {shard['ShardId']} --shard-iterator-type TRIM_HORIZON")["ShardIterator"]
page = aws(f"{AT} dynamodbstreams get-records --shard-iterator '{iterator}'")
insert, modify = page["Records"]
assert [insert["eventName"], modify["eventName"]] == ["INSERT", "MODIFY"]
assert insert["dynamodb"]["Keys"] == {"id": {"S": "id-1"}}
assert insert["dynamodb"]["NewImage"] == {"id": {"S": "id-1"}, "name": {"S": "name-1"}}
assert "OldImage" not in insert["dynamodb"] and "userIdentity" not in insert
assert modify["dynamodb"]["OldImage"] == {"id": {"S": "id-1"}, "name": {"S": "name-1"}}
assert modify["dynamodb"]["NewImage"] == {"id": {"S": "id-1"}, "name": {"S": "name-1-edit-1"}}
# Keys 6 bytes, name and name-1 10, name and name-1-edit-1 17.
assert insert["dynamodb"]["SizeBytes"] == 6 + 16, insert
assert modify["dynamodb"]["SizeBytes"] == 6 + 16 + 23, modify
number = insert["dynamodb"]["SequenceNumber"]
for kind, expected in [("AT_SEQUENCE_NUMBER", 2), ("AFTER_SEQUENCE_NUMBER", 1)]:
    iterator = aws(f"{AT} dynamodbstreams get-shard-iterator --stream-arn {arn} --shard-id {shard['ShardId']} --shard-iterator-type {kind} --sequence-number {number}")["ShardIterator"]
    assert len(aws(f"{AT} dynamodbstreams get-records --shard-iterator '{iterator}'")["Records"]) == expected, kind
assert page["NextShardIterator"]

# Off and on.
aws(f"""{AT} dynamodb update-table {TABLE} --stream-specification "StreamEnabled=true,StreamViewType=KEYS_ONLY" """, fails="ValidationException")
off = aws(f"{AT} dynamodb update-table {TABLE} --stream-specification StreamEnabled=false")["TableDescription"]
assert off["LatestStreamArn"] == arn and "StreamSpecification" not in off
aws(f"{AT} dynamodb update-table {TABLE} --stream-specification StreamEnabled=false", fails="ValidationException")
on = aws(f"{AT} dynamodb update-table {TABLE} --stream-specification StreamEnabled=true,StreamViewType=KEYS_ONLY")["TableDescription"]
assert on["LatestStreamArn"] != arn
closed = aws(f"{AT} dynamodbstreams describe-stream --stream-arn {arn}")["StreamDescription"]
assert closed["StreamStatus"] == "DISABLED" and closed["Shards"][0]["SequenceNumberRange"]["EndingSequenceNumber"]
aws(f"{AT} dynamodbstreams describe-stream --stream-arn {arn.replace('2', '1')}", fails="ResourceNotFoundException")

# list-streams in pages: the CLI follows them itself.
for n in range(3):
    aws(f"{AT} dynamodb create-table --table-name page-{n} --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH --billing-mode PAY_PER_REQUEST --stream-specification StreamEnabled=true,StreamViewType=NEW_IMAGE")
first = aws(f"{AT} dynamodbstreams list-streams --limit 3")
assert len(first["Streams"]) == 3, first
rest = aws(f"{AT} dynamodbstreams list-streams --exclusive-start-stream-arn {first['LastEvaluatedStreamArn']}")
assert [stream["TableName"] for stream in rest["Streams"]] == ["page-1", "page-2"] and "LastEvaluatedStreamArn" not in rest
print("the walk-through is as it should be")
