"""Change sets: made, shown, executed, and what becomes of the others."""

from __future__ import annotations

import json
from typing import Any

from harness import Case, control, queue, template, topic, until

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def details(change: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (
            detail["Target"].get("Name", detail["Target"]["Attribute"]),
            detail["Target"]["RequiresRecreation"],
            detail["Evaluation"],
            detail["ChangeSource"],
        )
        for detail in change["Details"]
    ]


class ChangeSets(Case):
    def changes(self, change_set: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return {
            change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in change_set["Changes"]
        }

    def test_a_new_stack_is_in_review_until_its_change_set_is_executed(self) -> None:
        """API Reference, CreateChangeSet, ChangeSetType."""
        control({"pause": True})
        made = self.cloudformation.create_change_set(
            StackName=self.stack,
            ChangeSetName="first",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(template({"A": topic()})),
        )
        self.assertRegex(made["Id"], r"^arn:aws:cloudformation:us-east-1:123456789012:changeSet/first/")
        described = self.cloudformation.describe_change_set(ChangeSetName="first", StackName=self.stack)
        self.assertEqual((described["Status"], described["ExecutionStatus"]), ("CREATE_PENDING", "UNAVAILABLE"))
        self.refused(
            "InvalidChangeSetStatus",
            "cannot be executed in its current status of [CREATE_PENDING]",
            self.cloudformation.execute_change_set,
            ChangeSetName=made["Id"],
        )
        control({"pause": False})
        until(
            lambda: self.cloudformation.describe_change_set(ChangeSetName=made["Id"])["ExecutionStatus"] == "AVAILABLE",
            "the change set",
        )
        self.assertEqual(self.described()["StackStatus"], "REVIEW_IN_PROGRESS")
        self.assertEqual(self.told(), [f"{self.stack} REVIEW_IN_PROGRESS"])
        [change] = self.cloudformation.describe_change_set(ChangeSetName=made["Id"])["Changes"]
        self.assertEqual(change["ResourceChange"]["Action"], "Add")
        self.refused(
            "ValidationError",
            "does not exist",
            self.cloudformation.create_change_set,
            StackName=self.stack,
            ChangeSetName="other",
            TemplateBody=json.dumps(template({"A": topic()})),
        )
        self.cloudformation.execute_change_set(ChangeSetName=made["Id"])
        self.assertEqual(self.at_rest()["StackStatus"], "CREATE_COMPLETE")

    def test_no_changes(self) -> None:
        """User Guide, "View a change set"; API Reference, UpdateStack."""
        body = template({"A": topic(DisplayName="a")}, Description="one")
        self.create(body)
        same = self.change_set({**body, "Description": "two"}, name="same")
        self.assertEqual(
            (same["Status"], same["ExecutionStatus"], same["StatusReason"]), ("FAILED", "UNAVAILABLE", NO_CHANGES)
        )
        self.refused(
            "InvalidChangeSetStatus",
            "[FAILED]",
            self.cloudformation.execute_change_set,
            ChangeSetName=same["ChangeSetId"],
        )
        self.refused(
            "ValidationError",
            "No updates are to be performed.",
            self.cloudformation.update_stack,
            StackName=self.stack,
            TemplateBody=json.dumps(body),
        )

    def test_an_output_alone_is_a_change(self) -> None:
        body = template({"A": topic()})
        self.create(body)
        stack = self.deploy({**body, "Outputs": {"Name": {"Value": {"Ref": "A"}}}}, name="output")
        self.assertEqual(stack["StackStatus"], "UPDATE_COMPLETE")
        self.assertEqual(stack["Outputs"][0]["OutputValue"], self.physical_id("A"))

    def test_add_modify_remove_and_replace(self) -> None:
        """API Reference, ResourceChange and ResourceChangeDetail."""
        old = template(
            {
                "Changed": queue(VisibilityTimeout=30),
                "Replaced": queue(QueueName=f"{self.stack}-one"),
                "User": topic(DisplayName={"Fn::GetAtt": ["Changed", "QueueName"]}),
                "Gone": topic(),
                "Kept": {**topic(), "DeletionPolicy": "Retain"},
                "Same": topic(),
            },
            Parameters={"Delay": {"Type": "Number", "Default": 1}},
        )
        old["Resources"]["Tuned"] = queue(DelaySeconds={"Ref": "Delay"})
        self.create(old)
        new = template(
            {
                "Changed": queue(VisibilityTimeout=40),
                "Replaced": queue(QueueName=f"{self.stack}-two"),
                "User": topic(DisplayName={"Fn::GetAtt": ["Changed", "QueueName"]}),
                "Same": topic(),
                "Tuned": queue(DelaySeconds={"Ref": "Delay"}),
                "New": topic(DisplayName={"Ref": "Replaced"}),
            },
            Parameters=old["Parameters"],
        )
        made = self.change_set(new, Parameters=[{"ParameterKey": "Delay", "ParameterValue": "2"}])
        changes = self.changes(made)
        self.assertEqual(set(changes), {"Changed", "Replaced", "User", "Gone", "Kept", "Tuned", "New"})
        self.assertEqual(changes["New"]["Action"], "Add")
        self.assertNotIn("Replacement", changes["New"])
        self.assertEqual(
            (changes["Changed"]["Action"], changes["Changed"]["Replacement"], changes["Changed"]["Scope"]),
            ("Modify", "False", ["Properties"]),
        )
        self.assertEqual(details(changes["Changed"]), [("VisibilityTimeout", "Never", "Static", "DirectModification")])
        self.assertEqual(
            (changes["Replaced"]["Replacement"], changes["Replaced"]["PolicyAction"]), ("True", "ReplaceAndDelete")
        )
        self.assertEqual(details(changes["Replaced"]), [("QueueName", "Always", "Static", "DirectModification")])
        # What uses an attribute of a changed resource may change, and is listed, although execution finds it as it was.
        self.assertEqual(details(changes["User"]), [("DisplayName", "Never", "Dynamic", "ResourceAttribute")])
        self.assertEqual(changes["User"]["Details"][0]["CausingEntity"], "Changed.QueueName")
        self.assertEqual(details(changes["Tuned"]), [("DelaySeconds", "Never", "Static", "ParameterReference")])
        self.assertEqual(changes["Tuned"]["Details"][0]["CausingEntity"], "Delay")
        self.assertEqual((changes["Gone"]["Action"], changes["Gone"]["PolicyAction"]), ("Remove", "Delete"))
        self.assertEqual(changes["Kept"]["PolicyAction"], "Retain")
        self.cloudformation.execute_change_set(ChangeSetName=made["ChangeSetId"])
        self.assertEqual(self.at_rest()["StackStatus"], "UPDATE_COMPLETE")
        self.assertNotIn("User UPDATE_IN_PROGRESS", self.told())

    def test_a_replacement_that_depends_on_a_reference_is_conditional(self) -> None:
        old = template(
            {"A": queue(QueueName=f"{self.stack}-one"), "B": topic(TopicName={"Fn::GetAtt": ["A", "QueueName"]})}
        )
        self.create(old)
        new = template(
            {"A": queue(QueueName=f"{self.stack}-two"), "B": topic(TopicName={"Fn::GetAtt": ["A", "QueueName"]})}
        )
        changes = self.changes(self.change_set(new))
        self.assertEqual((changes["A"]["Replacement"], changes["B"]["Replacement"]), ("True", "Conditional"))

    def test_tags_of_the_stack_reach_the_resources(self) -> None:
        """User Guide, "Add tags to stacks": CloudFormation propagates them."""
        body = template({"A": topic(Tags=[{"Key": "own", "Value": "1"}])})
        self.create(body, Tags=[{"Key": "team", "Value": "mill"}])
        self.assertEqual(self.described()["Tags"], [{"Key": "team", "Value": "mill"}])
        change = self.changes(self.change_set(body, Tags=[{"Key": "team", "Value": "grist"}]))["A"]
        self.assertEqual(change["Scope"], ["Tags"])
        # Without the parameter the tags stay (API Reference, UpdateStack, Tags).
        self.assertEqual(self.change_set(body, name="none")["StatusReason"], NO_CHANGES)

    def test_execution_ends_the_other_change_sets(self) -> None:
        """API Reference, ExecuteChangeSet."""
        self.create(template({"A": topic()}))
        one = self.change_set(template({"A": topic(DisplayName="1")}), name="one")
        two = self.change_set(template({"A": topic(DisplayName="2")}), name="two")
        names = [
            each["ChangeSetName"] for each in self.cloudformation.list_change_sets(StackName=self.stack)["Summaries"]
        ]
        self.assertEqual(names, ["one", "two"])
        self.cloudformation.execute_change_set(ChangeSetName=one["ChangeSetId"])
        self.at_rest()
        self.refused(
            "ChangeSetNotFound",
            "does not exist",
            self.cloudformation.execute_change_set,
            ChangeSetName=two["ChangeSetId"],
        )
        self.refused(
            "InvalidChangeSetStatus",
            "[EXECUTE_COMPLETE]",
            self.cloudformation.execute_change_set,
            ChangeSetName=one["ChangeSetId"],
        )
        self.assertEqual(self.described()["ChangeSetId"], one["ChangeSetId"])

    def test_names_and_deletion(self) -> None:
        """API Reference, CreateChangeSet ("unique among all change sets"), DeleteChangeSet."""
        body = template({"A": topic()})
        self.create(body)
        body["Resources"]["B"] = topic()
        made = self.change_set(body, name="more")
        arguments = {"StackName": self.stack, "ChangeSetName": "more", "TemplateBody": json.dumps(body)}
        self.refused("AlreadyExistsException", "more", self.cloudformation.create_change_set, **arguments)
        self.cloudformation.delete_change_set(ChangeSetName="more", StackName=self.stack)
        self.refused(
            "ChangeSetNotFound",
            "does not exist",
            self.cloudformation.describe_change_set,
            ChangeSetName=made["ChangeSetId"],
        )
        self.refused(
            "ChangeSetNotFound",
            "does not exist",
            self.cloudformation.describe_change_set,
            ChangeSetName="more",
            StackName=self.stack,
        )

    def test_many_changes_come_in_pages(self) -> None:
        """API Reference, DescribeChangeSet, NextToken."""
        made = self.change_set(template({f"A{number}": topic() for number in range(150)}), "CREATE")
        self.assertEqual(len(made["Changes"]), 100)
        rest = self.cloudformation.describe_change_set(ChangeSetName=made["ChangeSetId"], NextToken=made["NextToken"])
        self.assertEqual(len(rest["Changes"]), 50)
        self.assertNotIn("NextToken", rest)

    def test_early_validation_fails_the_change_set(self) -> None:
        """User Guide, "Validate stack deployments"; API Reference, DescribeEvents."""
        body = template(
            {
                "A": topic(Colour="red"),
                "B": queue(DelaySeconds=1000),
                "C": {"Type": "AWS::Lambda::Alias", "Properties": {"Name": "x"}},
            }
        )
        made = self.change_set(body, "CREATE")
        self.assertEqual((made["Status"], made["ExecutionStatus"]), ("FAILED", "UNAVAILABLE"))
        self.assertEqual(
            made["StatusReason"],
            "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To troubleshoot Early"
            " Validation errors, use the DescribeEvents API for detailed failure information.",
        )
        events = self.cloudformation.describe_events(ChangeSetName=made["ChangeSetId"], Filters={"FailedEvents": True})[
            "OperationEvents"
        ]
        found = {
            (event["LogicalResourceId"], event["ValidationStatusReason"], event["ValidationPath"]) for event in events
        }
        self.assertIn(("A", "Unsupported property [Colour]", "/Resources/A/Properties"), found)
        self.assertIn(("C", "Required property [FunctionName] not found", "/Resources/C/Properties"), found)
        self.assertIn(("C", "Required property [FunctionVersion] not found", "/Resources/C/Properties"), found)

    def test_early_validation_finds_a_name_that_is_taken(self) -> None:
        body = template({"A": queue(QueueName=f"{self.stack}-taken")})
        self.create(body)
        first, self.stack = self.stack, f"{self.stack}-other"
        made = self.change_set(body, "CREATE")
        self.assertIn("[AWS::EarlyValidation::ResourceExistenceCheck]", made["StatusReason"])
        [event] = self.cloudformation.describe_events(ChangeSetName=made["ChangeSetId"])["OperationEvents"]
        self.assertEqual(event["ValidationName"], "NAME_CONFLICT_VALIDATION")
        self.assertEqual(
            event["ValidationStatusReason"],
            f"Resource of type 'AWS::SQS::Queue' with identifier '{first}-taken' already exists.",
        )

    def test_capabilities(self) -> None:
        """User Guide, "Acknowledging IAM resources in CloudFormation templates"."""
        role: dict[str, Any] = {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        }
        arguments = {"StackName": self.stack, "ChangeSetName": "a", "ChangeSetType": "CREATE"}
        call = self.cloudformation.create_change_set
        body = json.dumps(template({"R": role}))
        self.refused(
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_IAM]",
            call,
            TemplateBody=body,
            **arguments,
        )
        role["Properties"]["RoleName"] = f"{self.stack}-role"
        body = json.dumps(template({"R": role}))
        self.refused(
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
            call,
            TemplateBody=body,
            Capabilities=["CAPABILITY_IAM"],
            **arguments,
        )
        self.refused("ValidationError", "does not exist", self.cloudformation.describe_stacks, StackName=self.stack)
