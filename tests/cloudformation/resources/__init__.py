"""The resource types that this server makes, one module a service."""

from __future__ import annotations

from resources import cloudwatch, dynamodb, functions, iam, logs, mappings, s3, sns, sqs
from resources.handler import Handler

HANDLERS: dict[str, Handler] = {
    handler.type: handler
    for handler in (
        cloudwatch.Alarm(),
        dynamodb.Table(),
        functions.Function(),
        functions.Version(),
        functions.Alias(),
        iam.Role(),
        iam.Policy(),
        logs.LogGroup(),
        mappings.EventSourceMapping(),
        s3.Bucket(),
        s3.BucketPolicy(),
        sns.Topic(),
        sqs.Queue(),
    )
}
