"""What MiniStack does otherwise than AWS, put right after a deployment. LocalStack and AWS need none of it."""

import json

from local import aws


def close(table: str, roles_prefix: str) -> None:
    expire_old_items(table)
    for role in aws("iam").list_roles()["Roles"]:
        if role["RoleName"].startswith(roles_prefix):
            allow_batches(role["RoleName"])
            allow_without_resource(role["RoleName"])


def expire_old_items(table: str) -> None:
    """It does not read the template's TimeToLiveSpecification."""
    dynamodb = aws("dynamodb")
    state = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if state == "DISABLED":
        wanted = {"AttributeName": "ttl", "Enabled": True}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


# What it asks for on `*`, where AWS asks for an identity or a path.
WITHOUT_RESOURCE = ("ses:SendEmail", "ssm:GetParametersByPath")


def allow_batches(role: str) -> None:
    """It wants `sqs:SendMessageBatch`, which AWS doesn't have: there `sqs:SendMessage` covers batches."""
    queues = [statement["Resource"] for statement in statements_of(role) if allows(statement, "sqs:SendMessage")]
    if queues:
        allow(role, "ministack-batches", "sqs:SendMessageBatch", queues)


def allow_without_resource(role: str) -> None:
    for number, action in enumerate(WITHOUT_RESOURCE):
        if any(allows(statement, action) for statement in statements_of(role)):
            allow(role, f"ministack-without-resource-{number}", action, "*")


def statements_of(role: str) -> list[dict]:
    iam = aws("iam")
    policies = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"] for policy in policies]
    return [statement for document in documents for statement in document["Statement"]]


def allow(role: str, name: str, action: str, resource: object) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    aws("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def allows(statement: dict, action: str) -> bool:
    actions = statement["Action"]
    return action in ([actions] if isinstance(actions, str) else actions)
