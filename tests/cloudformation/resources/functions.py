"""AWS::Lambda::Function, AWS::Lambda::Version and AWS::Lambda::Alias."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from botocore.exceptions import ClientError

from errors import ResourceError, is_not_found
from resources.handler import Context, Handler, Made, picked, tags_as_map

# What UpdateFunctionConfiguration takes under the property's own name. VpcConfig and the like go back to these when a
# property is removed from the template (Lambda API Reference, CreateFunction: the defaults).
CONFIGURATION_DEFAULTS: dict[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "FileSystemConfigs": [],
    "Handler": None,
    "ImageConfig": {},
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": 128,
    "Role": None,
    "Runtime": None,
    "SnapStart": {"ApplyOn": "None"},
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
CREATE = (*CONFIGURATION_DEFAULTS, "Architectures", "PackageType", "CodeSigningConfigArn")
CODE = ("S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri", "SourceKMSKeyArn")


def _code(properties: dict[str, Any]) -> dict[str, Any]:
    code = properties["Code"]
    if "ZipFile" not in code:
        return picked(code, CODE)
    # Template Reference, AWS::Lambda::Function Code: inline source becomes a file named index with the runtime's
    # ending.
    ending = "js" if str(properties.get("Runtime", "")).startswith("nodejs") else "py"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr(zipfile.ZipInfo(f"index.{ending}"), code["ZipFile"])
    return {"ZipFile": archive.getvalue()}


class Function(Handler):
    """RuntimeManagementConfig, RecursiveLoop and what else moto has no call for are kept by the engine alone."""

    type = "AWS::Lambda::Function"
    service = "Lambda"
    name = "FunctionName"

    def exists(self, context: Context, name: str) -> bool:
        try:
            context.client("lambda").get_function_configuration(FunctionName=name)
        except ClientError as error:
            if is_not_found(error):
                return False
            raise
        return True

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        functions = context.client("lambda")
        name = properties.get("FunctionName") or context.generated_name(64)
        # moto would overwrite a function of that name in silence.
        self.refuse_existing(context, name)
        more = picked(properties, CREATE)
        if "KmsKeyArn" in properties:
            more["KMSKeyArn"] = properties["KmsKeyArn"]
        arn = functions.create_function(
            FunctionName=name, Code=_code(properties), Tags=tags_as_map(properties), **more
        )["FunctionArn"]
        if "ReservedConcurrentExecutions" in properties:
            functions.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=properties["ReservedConcurrentExecutions"]
            )
        return Made(name, {"Arn": arn})

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        functions = context.client("lambda")
        if old["Code"] != new["Code"] or old.get("Architectures") != new.get("Architectures"):
            functions.update_function_code(
                FunctionName=physical_id, Architectures=new.get("Architectures", ["x86_64"]), **_code(new)
            )
        changed = {
            name: new.get(name, default)
            for name, default in CONFIGURATION_DEFAULTS.items()
            if old.get(name) != new.get(name) and (name in new or default is not None)
        }
        if old.get("KmsKeyArn") != new.get("KmsKeyArn"):
            changed["KMSKeyArn"] = new.get("KmsKeyArn", "")
        if changed:
            functions.update_function_configuration(FunctionName=physical_id, **changed)
        if old.get("ReservedConcurrentExecutions") != new.get("ReservedConcurrentExecutions"):
            if "ReservedConcurrentExecutions" in new:
                functions.put_function_concurrency(
                    FunctionName=physical_id, ReservedConcurrentExecutions=new["ReservedConcurrentExecutions"]
                )
            else:
                functions.delete_function_concurrency(FunctionName=physical_id)
        arn = functions.get_function_configuration(FunctionName=physical_id)["FunctionArn"]
        before, after = tags_as_map(old), tags_as_map(new)
        if set(before) - set(after):
            functions.untag_resource(Resource=arn, TagKeys=sorted(set(before) - set(after)))
        if after and before != after:
            functions.tag_resource(Resource=arn, Tags=after)
        return {"Arn": arn}

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("lambda").delete_function(FunctionName=physical_id)


class Version(Handler):
    """Everything but Description and CodeSha256 is kept by the engine alone."""

    type = "AWS::Lambda::Version"
    service = "Lambda"

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        functions = context.client("lambda")
        name = properties["FunctionName"]
        before = {each["Version"] for each in functions.list_versions_by_function(FunctionName=name)["Versions"]}
        made = functions.publish_version(FunctionName=name, **picked(properties, ("Description", "CodeSha256")))
        # Template Reference, AWS::Lambda::Version: "Lambda doesn't publish a version if the function's configuration
        # and code haven't changed since the last version": then the resource fails.
        if made["Version"] in before:
            raise ResourceError(
                f"A version for this Lambda function exists ( {made['Version']} ). Modify the function to create a new"
                " version.",
                "AlreadyExists",
            )
        arn = made["FunctionArn"]
        return Made(arn, {"Version": made["Version"], "FunctionArn": arn})

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        return {"Version": physical_id.rpartition(":")[2], "FunctionArn": physical_id}

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        arn, _, version = physical_id.rpartition(":")
        context.client("lambda").delete_function(FunctionName=arn, Qualifier=version)


class Alias(Handler):
    """ProvisionedConcurrencyConfig is kept by the engine alone."""

    type = "AWS::Lambda::Alias"
    service = "Lambda"

    def _routing(self, properties: dict[str, Any]) -> dict[str, Any]:
        weights = properties.get("RoutingConfig", {}).get("AdditionalVersionWeights", [])
        return {"AdditionalVersionWeights": {each["FunctionVersion"]: each["FunctionWeight"] for each in weights}}

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        arn = context.client("lambda").create_alias(
            RoutingConfig=self._routing(properties),
            **picked(properties, ("FunctionName", "Name", "FunctionVersion", "Description")),
        )["AliasArn"]
        return Made(arn, {"AliasArn": arn})

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        context.client("lambda").update_alias(
            FunctionName=new["FunctionName"],
            Name=new["Name"],
            FunctionVersion=new["FunctionVersion"],
            Description=new.get("Description", ""),
            RoutingConfig=self._routing(new),
        )
        return {"AliasArn": physical_id}

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("lambda").delete_alias(FunctionName=properties["FunctionName"], Name=properties["Name"])
