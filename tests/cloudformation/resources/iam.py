"""AWS::IAM::Role and AWS::IAM::Policy."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from errors import ResourceError, is_not_found
from resources.handler import Context, Handler, Made

# Template Reference, AWS::IAM::Role: "Path ... defaults to a slash (/)", "MaxSessionDuration ... default 3600".
DEFAULT_SESSION_SECONDS = 3600


def _document(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Role(Handler):
    type = "AWS::IAM::Role"
    service = "Iam"
    name = "RoleName"

    def exists(self, context: Context, name: str) -> bool:
        try:
            context.client("iam").get_role(RoleName=name)
        except ClientError as error:
            if is_not_found(error):
                return False
            raise
        return True

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        iam = context.client("iam")
        name = properties.get("RoleName") or context.generated_name(64)
        self.refuse_existing(context, name)
        more = {
            key: properties[key]
            for key in ("Description", "MaxSessionDuration", "Path", "PermissionsBoundary")
            if key in properties
        }
        role = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=_document(properties["AssumeRolePolicyDocument"]),
            Tags=properties.get("Tags", []),
            **more,
        )["Role"]
        self._put_policies(context, name, {}, properties)
        return Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        iam = context.client("iam")
        if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
            iam.update_assume_role_policy(
                RoleName=physical_id, PolicyDocument=_document(new["AssumeRolePolicyDocument"])
            )
        iam.update_role(
            RoleName=physical_id,
            Description=new.get("Description", ""),
            MaxSessionDuration=new.get("MaxSessionDuration", DEFAULT_SESSION_SECONDS),
        )
        if old.get("PermissionsBoundary") != new.get("PermissionsBoundary"):
            if "PermissionsBoundary" in new:
                iam.put_role_permissions_boundary(RoleName=physical_id, PermissionsBoundary=new["PermissionsBoundary"])
            else:
                iam.delete_role_permissions_boundary(RoleName=physical_id)
        self._put_policies(context, physical_id, old, new)
        gone = {tag["Key"] for tag in old.get("Tags", [])} - {tag["Key"] for tag in new.get("Tags", [])}
        if gone:
            iam.untag_role(RoleName=physical_id, TagKeys=sorted(gone))
        if new.get("Tags"):
            iam.tag_role(RoleName=physical_id, Tags=new["Tags"])
        role = iam.get_role(RoleName=physical_id)["Role"]
        return {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def _put_policies(self, context: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        iam = context.client("iam")
        wanted = {policy["PolicyName"]: policy["PolicyDocument"] for policy in new.get("Policies", [])}
        for policy in old.get("Policies", []):
            if policy["PolicyName"] not in wanted:
                iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
        for policy_name, document in wanted.items():
            iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=_document(document))
        before, after = set(old.get("ManagedPolicyArns", [])), set(new.get("ManagedPolicyArns", []))
        for arn in sorted(before - after):
            self._detach(context, name, arn)
        for arn in sorted(after - before):
            try:
                iam.attach_role_policy(RoleName=name, PolicyArn=arn)
            except ClientError as error:
                # moto has AWS's own managed policies only when told so by a setting: then they are kept here alone.
                if not (is_not_found(error) and ":aws:policy/" in arn):
                    raise

    def _detach(self, context: Context, name: str, arn: str) -> None:
        try:
            context.client("iam").detach_role_policy(RoleName=name, PolicyArn=arn)
        except ClientError as error:
            if not is_not_found(error):
                raise

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        iam = context.client("iam")
        # The role's own policies go with it. One that someone else has put on it keeps the role from being deleted.
        for policy in properties.get("Policies", []):
            try:
                iam.delete_role_policy(RoleName=physical_id, PolicyName=policy["PolicyName"])
            except ClientError as error:
                if not is_not_found(error):
                    raise
        for arn in properties.get("ManagedPolicyArns", []):
            self._detach(context, physical_id, arn)
        iam.delete_role(RoleName=physical_id)


class Policy(Handler):
    """An inline policy on roles; users and groups are not emulated."""

    type = "AWS::IAM::Policy"
    service = "Iam"

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        self._put(context, properties)
        return Made(context.generated_name(64))

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        # The new ones first: a role must not be without its rights in between.
        self._put(context, new)
        renamed = old["PolicyName"] != new["PolicyName"]
        self._remove(context, old, [role for role in old["Roles"] if renamed or role not in new["Roles"]])
        return {}

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        self._remove(context, properties, properties["Roles"])

    def _put(self, context: Context, properties: dict[str, Any]) -> None:
        if "Roles" not in properties or "Users" in properties or "Groups" in properties:
            raise ResourceError(
                "This emulation of CloudFormation puts an AWS::IAM::Policy on Roles only", "InvalidRequest"
            )
        for role in properties["Roles"]:
            context.client("iam").put_role_policy(
                RoleName=role,
                PolicyName=properties["PolicyName"],
                PolicyDocument=_document(properties["PolicyDocument"]),
            )

    def _remove(self, context: Context, properties: dict[str, Any], roles: list[str]) -> None:
        for role in roles:
            try:
                context.client("iam").delete_role_policy(RoleName=role, PolicyName=properties["PolicyName"])
            except ClientError as error:
                if not is_not_found(error):
                    raise
