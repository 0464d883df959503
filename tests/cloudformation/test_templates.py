"""What is refused in a template before anything is made, parameters, conditions and functions."""

from __future__ import annotations

import json
from typing import Any

from harness import Case, client, template, topic


class Refusals(Case):
    def no(self, body: Any, text: str) -> None:
        """A template that CreateChangeSet must refuse, leaving no stack behind."""
        written = body if isinstance(body, str) else json.dumps(body)
        self.refused(
            "ValidationError",
            text,
            self.cloudformation.create_change_set,
            StackName=self.stack,
            ChangeSetName="a",
            ChangeSetType="CREATE",
            TemplateBody=written,
        )
        self.refused("ValidationError", "does not exist", self.cloudformation.describe_stacks, StackName=self.stack)

    def test_form(self) -> None:
        """Template Reference, "Template sections" and "Resources"."""
        self.no('{"Resources": ', "Template format error: JSON not well-formed. (line 1, column")
        self.no({"Resources": {}}, "Template format error: At least one Resources member must be defined.")
        self.no(template({"A": topic()}, Colours={}), "Invalid template property or properties [Colours]")
        self.no(template({"a-b": topic()}), "Template format error: Resource name a-b is non alphanumeric.")
        self.no(
            template({"A": {"Properties": {}}}), "[/Resources/A] Every Resources object must contain a Type member."
        )
        self.no(template({"A": {**topic(), "Colour": 1}}), "Invalid template resource property 'Colour'")
        self.no(
            template({"A": {"Type": "AWS::Foo::Bar"}}),
            "Template format error: Unrecognized resource types: [AWS::Foo::Bar]",
        )

    def test_references(self) -> None:
        """Template Reference, "Ref", "Fn::GetAtt" and "DependsOn attribute"."""
        block = "Template format error: Unresolved resource dependencies [X] in the Resources block of the template"
        self.no(template({"A": topic(DisplayName={"Ref": "X"})}), block)
        self.no(template({"A": topic(DisplayName={"Fn::Sub": "is ${X}"})}), block)
        self.no(template({"A": {**topic(), "DependsOn": "X"}}), block)
        self.no(
            template({"A": topic()}, Outputs={"O": {"Value": {"Ref": "X"}}}),
            "Template format error: Unresolved resource dependencies [X] in the Outputs block of the template",
        )
        self.no(
            template({"A": topic(DisplayName={"Fn::GetAtt": ["X", "Arn"]})}),
            "Fn::GetAtt references undefined resource X",
        )
        self.no(
            template({"A": topic(), "B": topic(DisplayName={"Fn::GetAtt": "A.Colour"})}),
            "Template error: resource A does not support attribute type Colour in Fn::GetAtt",
        )
        circle = template({"A": topic(DisplayName={"Ref": "B"}), "B": topic(DisplayName={"Ref": "A"}), "C": topic()})
        self.no(circle, "Circular dependency between resources: [A, B]")
        self.no(
            template({"A": {**topic(), "Condition": "X"}}), "Unresolved condition dependency X in the Resources block"
        )

    def test_quotas(self) -> None:
        """User Guide, "Understand CloudFormation quotas"."""
        self.no(
            template({f"A{n}": topic() for n in range(501)}),
            "Number of resources, 501, is greater than maximum allowed, 500",
        )
        many = {f"P{n}": {"Type": "String", "Default": ""} for n in range(201)}
        self.no(
            template({"A": topic()}, Parameters=many), "Number of parameters, 201, is greater than maximum allowed, 200"
        )
        self.no(
            template({"A": topic()}, Description="x" * 51_200),
            "at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200",
        )

    def test_a_template_in_s3(self) -> None:
        """API Reference, CreateChangeSet, TemplateURL; the quota of 1 MB."""
        client("s3").create_bucket(Bucket=self.stack)
        body = json.dumps(template({"A": topic()}, Metadata={"fill": "x" * 60_000}))
        client("s3").put_object(Bucket=self.stack, Key="t/one.json", Body=body)
        client("s3").put_object(Bucket=self.stack, Key="big.json", Body=body + " " * 1_000_000)
        arguments: dict[str, Any] = {"StackName": self.stack, "ChangeSetName": "a", "ChangeSetType": "CREATE"}
        url = f"https://{self.stack}.s3.us-east-1.amazonaws.com"
        self.refused(
            "ValidationError",
            "Template may not exceed 1000000 bytes in size.",
            self.cloudformation.create_change_set,
            TemplateURL=f"{url}/big.json",
            **arguments,
        )
        self.refused(
            "ValidationError",
            "S3 error",
            self.cloudformation.create_change_set,
            TemplateURL=f"{url}/none.json",
            **arguments,
        )
        self.cloudformation.create_change_set(TemplateURL=f"{url}/t/one.json", **arguments)
        path_style = f"https://s3.us-east-1.amazonaws.com/{self.stack}/t/one.json"
        summary = self.cloudformation.get_template_summary(TemplateURL=path_style)
        self.assertEqual(summary["ResourceTypes"], ["AWS::SNS::Topic"])

    def test_names(self) -> None:
        """API Reference, CreateStack, StackName."""
        self.refused(
            "ValidationError",
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
            self.cloudformation.create_stack,
            StackName="1no",
            TemplateBody=json.dumps(template({"A": topic()})),
        )

    def test_what_is_not_emulated_says_so(self) -> None:
        self.refused(
            "NotImplemented",
            "the resource type AWS::EC2::VPC",
            self.cloudformation.create_change_set,
            StackName=self.stack,
            ChangeSetName="a",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(template({"A": {"Type": "AWS::EC2::VPC"}})),
        )
        self.refused("InvalidAction", "DetectStackDrift", self.cloudformation.detect_stack_drift, StackName=self.stack)


class Parameters(Case):
    """Template Reference, "Parameters"."""

    BODY = template(
        {"A": topic(DisplayName={"Fn::Join": ["+", {"Ref": "List"}]}), "B": topic(DisplayName={"Ref": "Secret"})},
        Parameters={
            "Name": {"Type": "String", "AllowedPattern": "[a-z]+"},
            "Size": {"Type": "String", "Default": "s", "AllowedValues": ["s", "m"]},
            "Count": {"Type": "Number", "Default": 1, "MaxValue": 5},
            "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
            "Secret": {"Type": "String", "Default": "hush", "NoEcho": True},
        },
    )

    def no(self, text: str, **values: str) -> None:
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
        self.refused(
            "ValidationError",
            text,
            self.cloudformation.create_change_set,
            StackName=self.stack,
            ChangeSetName="a",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(self.BODY),
            Parameters=given,
        )

    def test_values_that_are_refused(self) -> None:
        self.no("Parameters: [Name] must have values")
        self.no("Parameters: [Colour] do not exist in the template", Name="a", Colour="red")
        self.no("Parameter 'Name' must match pattern [a-z]+", Name="A")
        self.no("Parameter 'Size' must be one of AllowedValues", Name="a", Size="l")
        self.no("Parameter 'Count' must be a number", Name="a", Count="many")
        self.no("Parameter 'Count' must be a number not greater than 5", Name="a", Count="6")

    def test_lists_previous_values_and_secrets(self) -> None:
        stack = self.create(self.BODY, Parameters=[{"ParameterKey": "Name", "ParameterValue": "a"}])
        shown = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
        self.assertEqual(shown, {"Name": "a", "Size": "s", "Count": "1", "List": "a, b", "Secret": "****"})
        attributes = client("sns").get_topic_attributes(TopicArn=self.physical_id("A"))["Attributes"]
        self.assertEqual(attributes["DisplayName"], "a+b")
        previous = [{"ParameterKey": "Name", "UsePreviousValue": True}, {"ParameterKey": "List", "ParameterValue": "c"}]
        self.deploy(self.BODY, Parameters=previous)
        attributes = client("sns").get_topic_attributes(TopicArn=self.physical_id("A"))["Attributes"]
        self.assertEqual(attributes["DisplayName"], "c")
        self.stack += "-other"
        self.refused(
            "ValidationError",
            "Cannot specify usePreviousValue as true",
            self.cloudformation.create_change_set,
            StackName=self.stack,
            ChangeSetName="a",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(self.BODY),
            Parameters=previous[:1],
        )

    def test_the_previous_template(self) -> None:
        """API Reference, CreateChangeSet, UsePreviousTemplate."""
        self.create(self.BODY, Parameters=[{"ParameterKey": "Name", "ParameterValue": "a"}])
        given = [{"ParameterKey": "Name", "UsePreviousValue": True}, {"ParameterKey": "List", "ParameterValue": "z"}]
        self.cloudformation.update_stack(StackName=self.stack, UsePreviousTemplate=True, Parameters=given)
        self.assertEqual(self.at_rest()["StackStatus"], "UPDATE_COMPLETE")


class Functions(Case):
    """Template Reference, "Intrinsic functions" and "Condition functions"."""

    def test_all_of_them(self) -> None:
        values = {
            "Split": {"Fn::Select": [1, {"Fn::Split": ["-", "a-b-c"]}]},
            "Sub": {"Fn::Sub": ["${AWS::Region}/${X}/${!Kept}/${A.TopicName}", {"X": {"Ref": "Size"}}]},
            "Join": {"Fn::Join": [":", ["arn", {"Ref": "AWS::Partition"}, {"Ref": "AWS::AccountId"}]]},
            "If": {"Fn::If": ["Both", "yes", "no"]},
            "Map": {"Fn::FindInMap": ["Sizes", {"Ref": "Size"}, "memory"]},
            "Suffix": {"Ref": "AWS::URLSuffix"},
        }
        body = template(
            {
                "A": topic(
                    TopicName=f"{self.stack}-a", DisplayName={"Fn::If": ["No", "never", {"Ref": "AWS::NoValue"}]}
                ),
                "Never": {**topic(), "Condition": "No"},
            },
            Parameters={"Size": {"Type": "String", "Default": "m"}},
            Mappings={"Sizes": {"m": {"memory": 256}}},
            Conditions={
                "Both": {"Fn::And": [{"Condition": "Medium"}, {"Fn::Not": [{"Condition": "No"}]}]},
                "Medium": {"Fn::Equals": [{"Ref": "Size"}, "m"]},
                "No": {"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": [{"Ref": "AWS::Region"}, "nowhere"]}]},
            },
            Outputs={
                **{key: {"Value": value} for key, value in values.items()},
                "Hidden": {"Condition": "No", "Value": "x"},
                "Shared": {"Value": "v", "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-shared"}}},
            },
        )
        stack = self.create(body)
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        self.assertEqual(
            outputs,
            {
                "Split": "b",
                "Sub": f"us-east-1/m/${{Kept}}/{self.stack}-a",
                "Join": "arn:aws:123456789012",
                "If": "yes",
                "Map": "256",
                "Suffix": "amazonaws.com",
                "Shared": "v",
            },
        )
        [export] = [each["ExportName"] for each in stack["Outputs"] if each["OutputKey"] == "Shared"]
        self.assertEqual(export, f"{self.stack}-shared")
        resources = self.cloudformation.list_stack_resources(StackName=self.stack)["StackResourceSummaries"]
        self.assertEqual([each["LogicalResourceId"] for each in resources], ["A"])

    def test_yaml_and_get_template(self) -> None:
        written = "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Metadata: {by: hand}\n"
        self.cloudformation.create_stack(StackName=self.stack, TemplateBody=written)
        self.at_rest()
        self.assertEqual(self.cloudformation.get_template(StackName=self.stack)["TemplateBody"], written)
        detail = self.cloudformation.describe_stack_resource(StackName=self.stack, LogicalResourceId="A")[
            "StackResourceDetail"
        ]
        self.assertEqual(json.loads(detail["Metadata"]), {"by": "hand"})

    def test_validate_template(self) -> None:
        role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
        body = template({"R": role}, Parameters={"P": {"Type": "String", "Default": "d"}}, Description="what")
        answer = self.cloudformation.validate_template(TemplateBody=json.dumps(body))
        self.assertEqual((answer["Description"], answer["Capabilities"]), ("what", ["CAPABILITY_IAM"]))
        self.assertEqual(
            answer["CapabilitiesReason"], "The following resource(s) require capabilities: [AWS::IAM::Role]"
        )
        self.assertEqual(answer["Parameters"], [{"ParameterKey": "P", "DefaultValue": "d", "NoEcho": False}])
