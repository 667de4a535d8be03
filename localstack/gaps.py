"""What MiniStack does otherwise than AWS, put right after a deployment. LocalStack and AWS need none of it."""

import json

from local import aws


def close(table: str, roles_prefix: str) -> None:
    expire_old_items(table)
    for role in aws("iam").list_roles()["Roles"]:
        if role["RoleName"].startswith(roles_prefix):
            allow_batches(role["RoleName"])


def expire_old_items(table: str) -> None:
    """It does not read the template's TimeToLiveSpecification."""
    dynamodb = aws("dynamodb")
    state = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if state == "DISABLED":
        wanted = {"AttributeName": "ttl", "Enabled": True}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def allow_batches(role: str) -> None:
    """It wants `sqs:SendMessageBatch`, which AWS doesn't have: there `sqs:SendMessage` covers batches."""
    iam = aws("iam")
    queues = []
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        statements = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
        queues += [statement["Resource"] for statement in statements if allows(statement, "sqs:SendMessage")]
    if queues:
        allowed = {"Effect": "Allow", "Action": "sqs:SendMessageBatch", "Resource": queues}
        document = {"Version": "2012-10-17", "Statement": [allowed]}
        iam.put_role_policy(RoleName=role, PolicyName="ministack-batches", PolicyDocument=json.dumps(document))


def allows(statement: dict, action: str) -> bool:
    actions = statement["Action"]
    return action in ([actions] if isinstance(actions, str) else actions)
