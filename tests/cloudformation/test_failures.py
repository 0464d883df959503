"""What fails, how it is told, and the way back (User Guide, "Stack failure options" and "Stack status codes")."""

from __future__ import annotations

import json
from typing import Any

from harness import Case, client, control, queue, template, topic, until


def waiting(**properties: Any) -> dict[str, Any]:
    """A queue that comes after A."""
    return {**queue(**properties), "DependsOn": "A"}


class Creation(Case):
    def test_a_failed_creation_is_rolled_back_and_can_only_be_deleted(self) -> None:
        control({"fail": {"logical-id": "C", "message": "not for you", "code": "AccessDenied"}})
        stack = self.create(
            template({"A": topic(), "B": {**topic(), "DependsOn": "A"}, "C": waiting(), "D": waiting()})
        )
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
        events = self.events()
        [failed] = [
            each for each in events if each["LogicalResourceId"] == "C" and each["ResourceStatus"] == "CREATE_FAILED"
        ]
        self.assertRegex(
            failed["ResourceStatusReason"],
            r'^Resource handler returned message: "not for you" \(RequestToken: [0-9a-f-]{36}, HandlerErrorCode:'
            r" AccessDenied\)$",
        )
        [cancelled] = [
            each for each in events if each["LogicalResourceId"] == "D" and each["ResourceStatus"] == "CREATE_FAILED"
        ]
        self.assertEqual(cancelled["ResourceStatusReason"], "Resource creation cancelled")
        [rolled] = [each for each in events if each["ResourceStatus"] == "ROLLBACK_IN_PROGRESS"]
        self.assertEqual(
            rolled["ResourceStatusReason"],
            "The following resource(s) failed to create: [C, D]. Rollback requested by user.",
        )
        told = self.told()
        self.assertLess(told.index("B DELETE_COMPLETE"), told.index("A DELETE_COMPLETE"))
        message = self.refused(
            "ValidationError",
            "is in ROLLBACK_COMPLETE state and can not be updated.",
            self.cloudformation.create_change_set,
            StackName=self.stack,
            ChangeSetName="again",
            TemplateBody=json.dumps(template({"A": topic()})),
        )
        self.assertEqual(message, f"Stack:{stack['StackId']} is in ROLLBACK_COMPLETE state and can not be updated.")
        self.assertEqual(self.delete()["StackStatus"], "DELETE_COMPLETE")

    def test_events_of_a_creation(self) -> None:
        """User Guide, "Understand CloudFormation stack creation events"."""
        self.create(template({"A": topic()}))
        self.assertEqual(
            self.told(),
            [
                f"{self.stack} REVIEW_IN_PROGRESS",
                f"{self.stack} CREATE_IN_PROGRESS",
                "A CREATE_IN_PROGRESS",
                "A CREATE_IN_PROGRESS",
                "A CREATE_COMPLETE",
                f"{self.stack} CREATE_COMPLETE",
            ],
        )
        started, initiated = self.events()[2:4]
        self.assertNotIn("ResourceStatusReason", started)
        self.assertEqual(
            (initiated["ResourceStatusReason"], initiated["PhysicalResourceId"]),
            ("Resource creation Initiated", self.physical_id("A")),
        )
        self.assertEqual(self.events()[1]["ResourceStatusReason"], "User Initiated")

    def test_events_come_in_pages(self) -> None:
        """API Reference, DescribeStackEvents, NextToken; newest first."""
        self.create(template({f"A{number}": topic() for number in range(40)}))
        first = self.cloudformation.describe_stack_events(StackName=self.stack)
        self.assertEqual(len(first["StackEvents"]), 100)
        self.assertEqual(first["StackEvents"][0]["ResourceStatus"], "CREATE_COMPLETE")
        self.assertEqual(first["StackEvents"][0]["LogicalResourceId"], self.stack)
        self.assertEqual(len(self.events()), 40 * 3 + 3)
        times = [event["Timestamp"] for event in self.events()]
        self.assertEqual(times, sorted(times))

    def test_an_output_that_cannot_be_told_fails_the_stack(self) -> None:
        """Template Reference, "Fn::GetAtt": a table without a stream has no StreamArn."""
        table = {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        }
        stack = self.create(template({"T": table}, Outputs={"S": {"Value": {"Fn::GetAtt": "T.StreamArn"}}}))
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
        [reason] = [
            each["ResourceStatusReason"] for each in self.events() if each["ResourceStatus"] == "ROLLBACK_IN_PROGRESS"
        ]
        self.assertEqual(reason, "Attribute: StreamArn was not found for resource: T. Rollback requested by user.")

    def test_what_a_policy_retains_in_a_rollback(self) -> None:
        """Template Reference, "DeletionPolicy attribute"."""
        control({"fail": {"logical-id": "C"}})
        kept, dropped = {**topic(), "DeletionPolicy": "Retain"}, {**topic(), "DeletionPolicy": "RetainExceptOnCreate"}
        self.create(template({"A": kept, "B": dropped, "C": waiting()}))
        told = self.told()
        self.assertIn("A DELETE_SKIPPED", told)
        self.assertIn("B DELETE_COMPLETE", told)

    def test_on_stack_failure(self) -> None:
        """API Reference, CreateChangeSet, OnStackFailure."""
        control({"fail": {"logical-id": "A", "times": 2}})
        made = self.change_set(template({"A": topic()}), "CREATE", OnStackFailure="DO_NOTHING")
        self.cloudformation.execute_change_set(ChangeSetName=made["ChangeSetId"])
        self.assertEqual(self.at_rest()["StackStatus"], "CREATE_FAILED")
        self.stack += "-other"
        made = self.change_set(template({"A": topic()}), "CREATE", OnStackFailure="DELETE")
        self.cloudformation.execute_change_set(ChangeSetName=made["ChangeSetId"])
        self.assertEqual(self.at_rest(made["StackId"])["StackStatus"], "DELETE_COMPLETE")

    def test_the_service_s_own_refusal_is_the_reason(self) -> None:
        body = template(
            {
                "F": {
                    "Type": "AWS::Lambda::Alias",
                    "Properties": {"FunctionName": "nowhere", "FunctionVersion": "1", "Name": "a"},
                }
            }
        )
        self.create(body)
        [failed] = [each for each in self.events() if each["ResourceStatus"] == "CREATE_FAILED"]
        self.assertIn("Function not found", failed["ResourceStatusReason"])
        self.assertIn("(Service: Lambda, Status Code: 404", failed["ResourceStatusReason"])
        self.assertIn("HandlerErrorCode: NotFound", failed["ResourceStatusReason"])

    def test_properties_are_checked_at_execution_too(self) -> None:
        made = self.change_set(template({"A": topic(Colour="red")}), "CREATE", DisableValidation=True)
        self.cloudformation.execute_change_set(ChangeSetName=made["ChangeSetId"])
        self.assertEqual(self.at_rest()["StackStatus"], "ROLLBACK_COMPLETE")
        [failed] = [each for each in self.events() if each["ResourceStatus"] == "CREATE_FAILED"]
        self.assertEqual(
            failed["ResourceStatusReason"],
            "Properties validation failed for resource A with message:\n[#: extraneous key [Colour] is not permitted]",
        )

    def test_create_stack(self) -> None:
        """API Reference, CreateStack, OnFailure."""
        control({"fail": {"logical-id": "A"}})
        self.cloudformation.create_stack(
            StackName=self.stack, TemplateBody=json.dumps(template({"A": topic()})), OnFailure="DO_NOTHING"
        )
        self.assertEqual(self.at_rest()["StackStatus"], "CREATE_FAILED")
        self.refused(
            "AlreadyExistsException",
            "already exists",
            self.cloudformation.create_stack,
            StackName=self.stack,
            TemplateBody=json.dumps(template({"A": topic()})),
        )

    def test_a_creation_can_be_deleted_while_it_runs(self) -> None:
        control({"pause": True})
        made = self.cloudformation.create_stack(StackName=self.stack, TemplateBody=json.dumps(template({"A": topic()})))
        self.cloudformation.delete_stack(StackName=self.stack)
        control({"pause": False})
        until(lambda: self.described(made["StackId"])["StackStatus"] == "DELETE_COMPLETE", "the deletion")


class Update(Case):
    def test_statuses_of_an_update(self) -> None:
        """User Guide, "Update behaviors of stack resources": old ones go after all else."""
        self.create(template({"A": queue(QueueName=f"{self.stack}-one"), "B": topic(), "C": topic(DisplayName="1")}))
        before = len(self.events())
        old = self.physical_id("A")
        stack = self.deploy(template({"A": queue(QueueName=f"{self.stack}-two"), "C": topic(DisplayName="2")}))
        self.assertEqual(stack["StackStatus"], "UPDATE_COMPLETE")
        self.assertIn("LastUpdatedTime", stack)
        told = self.told()[before:]
        self.assertEqual(told[0], f"{self.stack} UPDATE_IN_PROGRESS")
        cleanup = told.index(f"{self.stack} UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self.assertLess(told.index("A UPDATE_COMPLETE"), cleanup)
        self.assertLess(told.index("C UPDATE_COMPLETE"), cleanup)
        self.assertLess(cleanup, told.index("A DELETE_COMPLETE"))
        self.assertLess(cleanup, told.index("B DELETE_COMPLETE"))
        self.assertEqual(told[-1], f"{self.stack} UPDATE_COMPLETE")
        [deleted] = [
            each
            for each in self.events()
            if each["LogicalResourceId"] == "A" and each["ResourceStatus"] == "DELETE_COMPLETE"
        ]
        self.assertEqual(deleted["PhysicalResourceId"], old)
        names = [url.rpartition("/")[2] for url in client("sqs").list_queues(QueueNamePrefix=self.stack)["QueueUrls"]]
        self.assertEqual(names, [f"{self.stack}-two"])

    def test_a_failed_update_restores_the_old_values(self) -> None:
        self.create(template({"A": queue(VisibilityTimeout=30), "B": queue(QueueName=f"{self.stack}-one")}))
        old = self.physical_id("B")
        before = len(self.events())
        control({"fail": {"logical-id": "D", "message": "no", "code": "AccessDenied"}})
        new = {
            "A": queue(VisibilityTimeout=40),
            "B": queue(QueueName=f"{self.stack}-two"),
            "C": topic(),
            "D": waiting(),
        }
        stack = self.deploy(template(new))
        self.assertEqual(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        told = self.told()[before:]
        rollback = told.index(f"{self.stack} UPDATE_ROLLBACK_IN_PROGRESS")
        cleanup = told.index(f"{self.stack} UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self.assertIn("A UPDATE_COMPLETE", told[rollback:cleanup])
        self.assertIn("C DELETE_COMPLETE", told[cleanup:])
        [reason] = [
            each.get("ResourceStatusReason")
            for each in self.events()
            if each["ResourceStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS"
        ]
        self.assertEqual(reason, "The following resource(s) failed to create: [D]. ")
        attributes = client("sqs").get_queue_attributes(
            QueueUrl=self.physical_id("A"), AttributeNames=["VisibilityTimeout"]
        )
        self.assertEqual(attributes["Attributes"]["VisibilityTimeout"], "30")
        self.assertEqual(self.physical_id("B"), old)
        names = [
            url.rpartition("/")[2] for url in client("sqs").list_queues(QueueNamePrefix=f"{self.stack}-")["QueueUrls"]
        ]
        self.assertIn(f"{self.stack}-one", names)
        self.assertNotIn(f"{self.stack}-two", names)
        resources = {
            each["LogicalResourceId"]
            for each in self.cloudformation.describe_stack_resources(StackName=self.stack)["StackResources"]
        }
        self.assertEqual(resources, {"A", "B"})
        # What is rolled back can be updated again, unlike a creation.
        self.assertEqual(self.deploy(template(new), name="again")["StackStatus"], "UPDATE_COMPLETE")

    def test_a_custom_named_resource_is_not_replaced(self) -> None:
        """Template Reference, "Name type"."""
        self.create(
            template(
                {"A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"{self.stack}.fifo", "FifoQueue": True}}}
            )
        )
        body = template({"A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"{self.stack}.fifo"}}})
        self.assertEqual(self.deploy(body)["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        [failed] = [each for each in self.events() if each["ResourceStatus"] == "UPDATE_FAILED"]
        self.assertEqual(
            failed["ResourceStatusReason"],
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
            f"{self.stack}.fifo and update the stack again.",
        )

    def test_update_replace_policy(self) -> None:
        """Template Reference, "UpdateReplacePolicy attribute"."""
        kept = {"UpdateReplacePolicy": "Retain"}
        self.create(template({"A": {**queue(QueueName=f"{self.stack}-one"), **kept}}))
        self.deploy(template({"A": {**queue(QueueName=f"{self.stack}-two"), **kept}}))
        self.assertIn("A DELETE_SKIPPED", self.told())
        self.assertEqual(len(client("sqs").list_queues(QueueNamePrefix=self.stack)["QueueUrls"]), 2)

    def test_a_rollback_that_fails_can_be_continued(self) -> None:
        """User Guide, "Continue rolling back an update"."""
        self.create(template({"A": queue(VisibilityTimeout=30)}))
        control({"fail": {"logical-id": "A", "times": 2, "action": "update"}})
        stack = self.deploy(template({"A": queue(VisibilityTimeout=40)}))
        self.assertEqual(stack["StackStatus"], "UPDATE_ROLLBACK_FAILED")
        self.assertEqual(stack["StackStatusReason"], "The following resource(s) failed to update: [A]. ")
        self.refused(
            "ValidationError",
            "is in UPDATE_ROLLBACK_FAILED state and can not be updated.",
            self.cloudformation.create_change_set,
            StackName=self.stack,
            ChangeSetName="no",
            TemplateBody=json.dumps(template({"A": queue()})),
        )
        self.cloudformation.continue_update_rollback(StackName=self.stack)
        self.assertEqual(self.at_rest()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")

    def test_a_busy_stack_refuses(self) -> None:
        """User Guide, "Stack status codes": one operation at a time."""
        self.create(template({"A": topic()}))
        one = self.change_set(template({"A": topic(DisplayName="1")}), name="one")
        control({"pause": True})
        self.cloudformation.execute_change_set(ChangeSetName=one["ChangeSetId"])
        text = "is in UPDATE_IN_PROGRESS state and can not be updated."
        body = json.dumps(template({"A": topic(DisplayName="2")}))
        self.refused(
            "ValidationError",
            text,
            self.cloudformation.create_change_set,
            StackName=self.stack,
            ChangeSetName="two",
            TemplateBody=body,
        )
        self.refused("ValidationError", text, self.cloudformation.update_stack, StackName=self.stack, TemplateBody=body)
        self.refused("ValidationError", text, self.cloudformation.delete_stack, StackName=self.stack)
        control({"pause": False})
        self.assertEqual(self.at_rest()["StackStatus"], "UPDATE_COMPLETE")

    def test_an_update_can_be_cancelled(self) -> None:
        """API Reference, CancelUpdateStack."""
        self.create(template({"A": topic()}))
        self.refused(
            "ValidationError",
            "CancelUpdateStack cannot be called",
            self.cloudformation.cancel_update_stack,
            StackName=self.stack,
        )
        control({"pause": True})
        self.cloudformation.update_stack(
            StackName=self.stack, TemplateBody=json.dumps(template({"A": topic(DisplayName="1")}))
        )
        self.cloudformation.cancel_update_stack(StackName=self.stack)
        control({"pause": False})
        self.assertEqual(self.at_rest()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")

    def test_disable_rollback(self) -> None:
        """API Reference, ExecuteChangeSet, DisableRollback: what worked stays, and the next update goes on from
        there."""
        self.create(template({"A": topic()}))
        control({"fail": {"logical-id": "B"}})
        made = self.change_set(template({"A": topic(DisplayName="1"), "B": waiting()}))
        self.cloudformation.execute_change_set(ChangeSetName=made["ChangeSetId"], DisableRollback=True)
        self.assertEqual(self.at_rest()["StackStatus"], "UPDATE_FAILED")
        stack = self.deploy(template({"A": topic(DisplayName="1"), "B": waiting()}), name="again")
        self.assertEqual(stack["StackStatus"], "UPDATE_COMPLETE")


class Deletion(Case):
    def test_a_bucket_that_is_not_empty(self) -> None:
        """Template Reference, AWS::S3::Bucket; API Reference, DeleteStack, RetainResources."""
        bucket = {"Type": "AWS::S3::Bucket"}
        self.create(template({"A": topic(), "Bucket": {**bucket, "DependsOn": "A"}, "Empty": bucket}))
        name = self.physical_id("Bucket")
        client("s3").put_object(Bucket=name, Key="k", Body=b"v")
        self.refused(
            "ValidationError",
            "DELETE_FAILED",
            self.cloudformation.delete_stack,
            StackName=self.stack,
            RetainResources=["Bucket"],
        )
        stack = self.delete()
        self.assertEqual(stack["StackStatus"], "DELETE_FAILED")
        [failed] = [
            each
            for each in self.events()
            if each["ResourceStatus"] == "DELETE_FAILED" and each["LogicalResourceId"] == "Bucket"
        ]
        self.assertIn(
            "The bucket you tried to delete is not empty (Service: S3, Status Code: 409", failed["ResourceStatusReason"]
        )
        self.assertEqual(stack["StackStatusReason"], "The following resource(s) failed to delete: [Bucket]. ")
        # What the bucket needs is not deleted before it.
        self.assertNotIn("A DELETE_COMPLETE", self.told())
        self.assertIn("Empty DELETE_COMPLETE", self.told())
        self.assertEqual(self.delete(RetainResources=["Bucket"])["StackStatus"], "DELETE_COMPLETE")
        client("s3").head_bucket(Bucket=name)

    def test_a_deletion_by_force(self) -> None:
        """API Reference, DeleteStack, DeletionMode."""
        self.create(template({"A": topic(), "B": waiting()}))
        control({"fail": {"logical-id": "B", "action": "delete", "times": 2}})
        stack_id = self.delete()["StackId"]
        self.assertEqual(self.delete(DeletionMode="FORCE_DELETE_STACK")["StackStatus"], "DELETE_COMPLETE")
        self.assertEqual(self.told(stack_id)[-2:], ["A DELETE_COMPLETE", f"{self.stack} DELETE_COMPLETE"])

    def test_deletion_policy_and_order(self) -> None:
        self.create(template({"A": topic(), "B": {**waiting(), "DeletionPolicy": "Retain"}, "C": waiting()}))
        stack_id = self.delete()["StackId"]
        told = self.told(stack_id)
        self.assertIn("B DELETE_SKIPPED", told)
        self.assertLess(told.index("C DELETE_COMPLETE"), told.index("A DELETE_IN_PROGRESS"))

    def test_a_deleted_stack_is_found_by_its_id_only(self) -> None:
        """API Reference, DescribeStacks."""
        self.create(template({"A": topic()}))
        stack = self.delete()
        self.assertIn("DeletionTime", stack)
        message = self.refused(
            "ValidationError", "does not exist", self.cloudformation.describe_stacks, StackName=self.stack
        )
        self.assertEqual(message, f"Stack with id {self.stack} does not exist")
        self.cloudformation.delete_stack(StackName=self.stack)
        listed = self.cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
        self.assertIn(stack["StackId"], [each["StackId"] for each in listed])
        self.assertEqual(self.create(template({"A": topic()}))["StackStatus"], "CREATE_COMPLETE")

    def test_termination_protection(self) -> None:
        """API Reference, UpdateTerminationProtection."""
        self.create(template({"A": topic()}))
        self.cloudformation.update_termination_protection(StackName=self.stack, EnableTerminationProtection=True)
        self.assertTrue(self.described()["EnableTerminationProtection"])
        self.refused(
            "ValidationError",
            f"Stack [{self.stack}] cannot be deleted while TerminationProtection is enabled",
            self.cloudformation.delete_stack,
            StackName=self.stack,
        )
        self.cloudformation.update_termination_protection(StackName=self.stack, EnableTerminationProtection=False)
        self.assertEqual(self.delete()["StackStatus"], "DELETE_COMPLETE")

    def test_a_stack_in_review_is_deleted(self) -> None:
        made = self.change_set(template({"A": topic()}), "CREATE")
        self.cloudformation.delete_stack(StackName=self.stack)
        until(lambda: self.described(made["StackId"])["StackStatus"] == "DELETE_COMPLETE", "the deletion")
