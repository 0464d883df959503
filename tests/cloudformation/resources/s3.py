"""AWS::S3::Bucket and AWS::S3::BucketPolicy."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from errors import ResourceError, is_not_found
from resources.handler import Context, Handler, Made, already_exists


def _lifecycle(properties: dict[str, Any]) -> list[dict[str, Any]]:
    return [_rule(rule) for rule in properties.get("LifecycleConfiguration", {}).get("Rules", [])]


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule in the form of S3's API (S3 API Reference, LifecycleRule)."""
    made: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    expiration: dict[str, Any] = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = rule["ExpirationInDays"]
    if "ExpirationDate" in rule:
        expiration["Date"] = rule["ExpirationDate"]
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = rule["ExpiredObjectDeleteMarker"]
    if expiration:
        made["Expiration"] = expiration
    noncurrent = dict(rule.get("NoncurrentVersionExpiration", {}))
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if noncurrent:
        made["NoncurrentVersionExpiration"] = noncurrent
    if "AbortIncompleteMultipartUpload" in rule:
        made["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    transitions = [*rule.get("Transitions", []), *([rule["Transition"]] if "Transition" in rule else [])]
    if transitions:
        made["Transitions"] = [
            {
                "StorageClass": each["StorageClass"],
                **(
                    {"Days": each["TransitionInDays"]}
                    if "TransitionInDays" in each
                    else {"Date": each["TransitionDate"]}
                ),
            }
            for each in transitions
        ]
    return made


class Bucket(Handler):
    """What has no call below (notifications, replication and more) is kept by the engine alone."""

    type = "AWS::S3::Bucket"
    service = "S3"
    name = "BucketName"

    def exists(self, context: Context, name: str) -> bool:
        try:
            context.client("s3").head_bucket(Bucket=name)
        except ClientError as error:
            if is_not_found(error):
                return False
            raise
        return True

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        # Template Reference, AWS::S3::Bucket: names are lower case; without one it is made of the stack and the logical
        # id.
        name = properties.get("BucketName") or context.generated_name(63, lower=True)
        # S3 answers the owner's second CreateBucket in us-east-1 with success; CloudFormation does not.
        self.refuse_existing(context, name)
        where = (
            {}
            if context.region == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": context.region}}
        )
        context.client("s3").create_bucket(Bucket=name, **where)
        self._put(context, name, {}, properties)
        return Made(name, self._attributes(context, name))

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        self._put(context, physical_id, old, new)
        return self._attributes(context, physical_id)

    def _put(self, context: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        s3 = context.client("s3")

        def changed(key: str) -> bool:
            return old.get(key) != new.get(key)

        if changed("VersioningConfiguration"):
            # A bucket that ever had versions can only suspend them (S3 User Guide, "Using versioning").
            status = new.get("VersioningConfiguration", {}).get("Status", "Suspended")
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
        if changed("BucketEncryption"):
            rules = [
                {**rule, "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
                for rule in new.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
            ]
            for rule in rules:
                del rule["ServerSideEncryptionByDefault"]
            if rules:
                s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
            else:
                s3.delete_bucket_encryption(Bucket=name)
        if changed("LifecycleConfiguration"):
            if _lifecycle(new):
                s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": _lifecycle(new)})
            else:
                s3.delete_bucket_lifecycle(Bucket=name)
        if changed("PublicAccessBlockConfiguration"):
            if "PublicAccessBlockConfiguration" in new:
                s3.put_public_access_block(
                    Bucket=name, PublicAccessBlockConfiguration=new["PublicAccessBlockConfiguration"]
                )
            else:
                s3.delete_public_access_block(Bucket=name)
        if changed("OwnershipControls"):
            if "OwnershipControls" in new:
                s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=new["OwnershipControls"])
            else:
                s3.delete_bucket_ownership_controls(Bucket=name)
        if changed("Tags"):
            if new.get("Tags"):
                s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": new["Tags"]})
            else:
                s3.delete_bucket_tagging(Bucket=name)

    def _attributes(self, context: Context, name: str) -> dict[str, Any]:
        return {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{context.region}.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{context.region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{context.region}.amazonaws.com",
        }

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        # Template Reference, AWS::S3::Bucket: "You can only delete empty buckets". moto refuses as S3 does.
        context.client("s3").delete_bucket(Bucket=physical_id)

    def is_empty(self, context: Context, physical_id: str) -> bool:
        """For the warning of pre-deployment validation."""
        answer = context.client("s3").list_object_versions(Bucket=physical_id, MaxKeys=1)
        return not answer.get("Versions") and not answer.get("DeleteMarkers")


class BucketPolicy(Handler):
    type = "AWS::S3::BucketPolicy"
    service = "S3"

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        # Template Reference, AWS::S3::BucketPolicy: Ref gives the bucket, which is all that identifies the policy.
        s3 = context.client("s3")
        try:
            s3.get_bucket_policy(Bucket=properties["Bucket"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
                raise
        else:
            raise ResourceError(already_exists(self.type, properties["Bucket"]), "AlreadyExists")
        self._put(context, properties)
        return Made(properties["Bucket"])

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        self._put(context, new)
        return {}

    def _put(self, context: Context, properties: dict[str, Any]) -> None:
        written = properties["PolicyDocument"]
        document = json.loads(written) if isinstance(written, str) else written
        # moto looks at no condition: a statement that refuses what comes without TLS would refuse everything. It stays
        # with the stack.
        kept = [each for each in document["Statement"] if not (each["Effect"] == "Deny" and "Condition" in each)]
        text = json.dumps({**document, "Statement": kept})
        context.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=text)

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("s3").delete_bucket_policy(Bucket=physical_id)
