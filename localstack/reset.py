"""Empties the running stack: queues, table and the sandbox gateway's journal; exchange rates are the usual ones again. The stack itself stays as it is."""

from deploy import introduce_sandbox
from local import STACK, TEST_CLOCK, Failure, aws, http, main, say, stack_environment


def program() -> None:
    stack = stack_environment()
    for url in (stack["SANDBOX_URL"], stack["SANDBOX_2_URL"]):
        status, _ = http("POST", f"{url}/control/reset")
        if status != 200:
            raise Failure(f"The sandbox gateway answered {status} to its reset. Try `make down up`.")
    status, _ = http("POST", f"{stack['RATES_URL']}/control/reset")
    if status != 200:
        raise Failure(f"The rates server answered {status} to its reset. Try `make down up`.")
    introduce_sandbox(stack["API_URL"])
    TEST_CLOCK.unlink(missing_ok=True)
    purge_queues()
    say(f"deleted {empty_table(stack['TABLE_NAME'])} items")
    # Consumers may have been busy with the last of them.
    purge_queues()


def purge_queues() -> None:
    sqs = aws("sqs")
    for url in sqs.list_queues(QueueNamePrefix=f"{STACK}-").get("QueueUrls", []):
        sqs.purge_queue(QueueUrl=url)


def empty_table(table: str) -> int:
    dynamodb = aws("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="PK, SK", ConsistentRead=True)
    keys = [key for page in pages for key in page["Items"]]
    for key in keys:
        dynamodb.delete_item(TableName=table, Key=key)
    return len(keys)


if __name__ == "__main__":
    main(program)
