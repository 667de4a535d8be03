"""What template.yaml promises and no linter checks: `make template`."""

import json
import re
import unittest
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
STORE_KEYS = ROOT / "shared" / "store" / "src" / "keys.rs"
ACCESS_KEYS = STORE_KEYS.with_suffix("") / "access.rs"
BILL_KEYS = STORE_KEYS.with_suffix("") / "bills.rs"
NOTICE_KEYS = STORE_KEYS.with_suffix("") / "notices.rs"
ORDER_KEYS = STORE_KEYS.with_suffix("") / "orders.rs"
OUTGOING_KEYS = STORE_KEYS.with_suffix("") / "outgoing.rs"
LEDGER_KEYS = STORE_KEYS.with_suffix("") / "ledger.rs"
RATE_SOURCES = ROOT / "shared" / "domain" / "src" / "exchange" / "mod.rs"


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags: `!Ref X` and `!GetAtt X.Arn` become "X" and "X.Arn"."""


Loader.add_multi_constructor("!", lambda loader, _, node: plain(loader, node))


def plain(loader: Loader, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


DOCUMENT: dict[str, dict] = yaml.load(TEMPLATE.read_text(), Loader)
RESOURCES = DOCUMENT["Resources"]

RATES = {"RATES_SOURCE", "RATES_URL", "RATES_MAX_AGE_HOURS", "RATES_TTL_MINUTES"}

# Each function's own variables; all have RUST_LOG.
VARIABLES = {
    "ApiFunction": {
        "TABLE_NAME", "CHARGE_QUEUE_URL", "NOTIFIER_QUEUE_URL", "WEBHOOKS_ALLOW_LOOPBACK", "OPERATOR_KEY_SECRET_ID", "GATEWAY_SECRETS_ID",
        "SANDBOX_URL", "GATEWAY_URLS", "TOKEN_KEY_SECRET_ID", "TOKEN_ISSUER", "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "DISCOVERY_PREFIX", *RATES,
    },
    "ChargeConsumerFunction": {
        "TABLE_NAME", "CHARGE_QUEUE_URL", "GATEWAY_SECRETS_ID", "SANDBOX_URL", "GATEWAY_URLS", *RATES,
    },
    "AuthFunction": {"TABLE_NAME", "TOKEN_KEY_SECRET_ID", "TOKEN_ISSUER", "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH"},
    "WebhookIntakeFunction": {
        "TABLE_NAME", "WEBHOOK_QUEUE_URL", "GATEWAY_SECRETS_ID", "SANDBOX_URL", "GATEWAY_URLS",
        "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH",
    },
    "WebhookConsumerFunction": {"TABLE_NAME", "CHARGE_QUEUE_URL", "GATEWAY_SECRETS_ID", "SANDBOX_URL", "GATEWAY_URLS"},
    "RetrySweepFunction": {"TABLE_NAME", "CHARGE_QUEUE_URL", "NOTIFIER_QUEUE_URL", "SANDBOX_URL", "GATEWAY_URLS"},
    "EventRelayFunction": {"EVENT_BUS_NAME", "TABLE_NAME"},
    "NotifierFunction": {
        "TABLE_NAME", "NOTIFIER_QUEUE_URL", "WEBHOOKS_ALLOW_LOOPBACK", "NOTICES_FROM", "NOTICES_ISSUER", "NOTICES_LANGUAGE",
    },
}  # fmt: skip

# Actions that AWS gives no smaller resource.
ANY_RESOURCE = {"dynamodb:ListStreams"}


def of_type(kind: str) -> dict[str, dict]:
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


def listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


def may(function: str, action: str, partition: str) -> bool:
    """Whether a function may do that in the table to an item of that partition."""

    def matches(statement: dict) -> bool:
        if action not in listed(statement["Action"]) or "Table.Arn" not in listed(statement["Resource"]):
            return False
        return all(
            any(fnmatchcase(partition, pattern) for pattern in listed(keys["dynamodb:LeadingKeys"]))
            is not operator.endswith("NotEquals")
            for operator, keys in statement.get("Condition", {}).items()
        )

    [policy] = FUNCTIONS[function]["Policies"]
    effects = {statement["Effect"] for statement in policy["Statement"] if matches(statement)}
    return effects == {"Allow"}


def target(reference: str) -> str:
    """The resource that a reference names: "ChargeQueue" of "ChargeQueue.Arn"."""
    return reference.partition(".")[0]


FUNCTIONS = of_type("AWS::Serverless::Function")
SOURCES = of_type("AWS::Lambda::EventSourceMapping")
QUEUES = of_type("AWS::SQS::Queue")
ALARMS = of_type("AWS::CloudWatch::Alarm")


class Functions(unittest.TestCase):
    def test_each_has_the_variables_that_it_needs_and_no_others(self) -> None:
        found = {name: set(function["Environment"]["Variables"]) for name, function in FUNCTIONS.items()}
        self.assertEqual(found, VARIABLES)

    def test_each_is_deployed_from_its_own_folder_and_logs_to_its_own_group(self) -> None:
        groups = {name: group["LogGroupName"] for name, group in of_type("AWS::Logs::LogGroup").items()}
        for name, function in FUNCTIONS.items():
            with self.subTest(name):
                binary = function["FunctionName"].removeprefix("${AWS::StackName}-")
                self.assertEqual(function["CodeUri"], f"target/lambda/{binary}/")
                group = groups[function["LoggingConfig"]["LogGroup"]]
                self.assertEqual(group, f"/aws/lambda/{function['FunctionName']}")

    def test_no_statement_allows_all_actions_or_all_resources(self) -> None:
        for name, function in FUNCTIONS.items():
            [policy] = function["Policies"]
            for statement in policy["Statement"]:
                with self.subTest(name, statement=statement["Sid"]):
                    actions = listed(statement["Action"])
                    self.assertFalse([action for action in actions if "*" in action])
                    if not ANY_RESOURCE.issuperset(actions):
                        self.assertNotIn("*", listed(statement.get("Resource") or statement["NotResource"]))

    def test_no_events_of_sam(self) -> None:
        """They would attach managed policies for every queue and stream of the account."""
        self.assertFalse([name for name, function in FUNCTIONS.items() if "Events" in function])

    def test_records_are_not_to_be_changed_by_anybody(self) -> None:
        """Attempts and transactions lie in partitions of their own: see keys.rs."""
        self.assertIn('format!("L#{}"', STORE_KEYS.read_text())
        for name, function in FUNCTIONS.items():
            [policy] = function["Policies"]
            allowed = {action for s in policy["Statement"] if s["Effect"] == "Allow" for action in listed(s["Action"])}
            may_change = {"dynamodb:UpdateItem", "dynamodb:DeleteItem"} & allowed
            if not may_change or not any(may(name, action, partition) for action in may_change for partition in ("C#1", "L#1")):
                continue
            with self.subTest(name):
                [denied] = [s for s in policy["Statement"] if s["Sid"] == "KeepRecords"]
                self.assertEqual(denied["Effect"], "Deny")
                self.assertEqual(set(denied["Action"]), {"dynamodb:UpdateItem", "dynamodb:DeleteItem"})
                self.assertEqual(denied["Condition"], {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": "L#*"}})

    def test_what_a_bill_has_gathered_is_not_to_be_deleted_by_anybody(self) -> None:
        """Line items lie beside their shard's sum, which is updated: see keys/bills.rs."""
        self.assertIn('GATHERED: &str = "BL#"', BILL_KEYS.read_text())
        for name, function in FUNCTIONS.items():
            [policy] = function["Policies"]
            allowed = {action for s in policy["Statement"] if s["Effect"] == "Allow" for action in listed(s["Action"])}
            if "dynamodb:DeleteItem" not in allowed or not may(name, "dynamodb:DeleteItem", "C#1"):
                continue
            with self.subTest(name):
                [denied] = [s for s in policy["Statement"] if s["Sid"] == "KeepLineItems"]
                self.assertEqual((denied["Effect"], denied["Action"]), ("Deny", "dynamodb:DeleteItem"))
                self.assertEqual(denied["Condition"], {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": "BL#*"}})

    def test_whoever_reads_the_table_reads_batches_of_it(self) -> None:
        """Lists and bills with their shards are read by key, many at once."""
        for name in ("ApiFunction", "ChargeConsumerFunction", "RetrySweepFunction"):
            [policy] = FUNCTIONS[name]["Policies"]
            [records] = [s for s in policy["Statement"] if s["Sid"] == "Records"]
            with self.subTest(name):
                self.assertIn("dynamodb:BatchGetItem", records["Action"])
                self.assertNotIn("Condition", records, "bills' partitions are among the table's")

    def test_what_anybody_can_call_reaches_webhooks_only(self) -> None:
        [policy] = FUNCTIONS["WebhookIntakeFunction"]["Policies"]
        on_table = [s for s in policy["Statement"] if any("dynamodb:" in action for action in listed(s["Action"]))]
        [webhooks, settings] = [s for s in on_table if s["Sid"] != "OwnVitals"]
        self.assertEqual(webhooks["Condition"], {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "WH#*"}})
        self.assertEqual(settings["Action"], "dynamodb:GetItem")
        self.assertEqual(settings["Condition"], {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "CFG#gateways"}})

    def test_how_customers_sign_in_is_for_two_functions_and_one_of_them_reaches_nothing_else(self) -> None:
        self.assertIn('format!("A#{}"', ACCESS_KEYS.read_text())
        self.assertIn('format!("TRY#{kind}', ACCESS_KEYS.read_text())
        self.assertIn('API_KEYS: &str = "KEYS"', STORE_KEYS.read_text())
        for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"):
            with self.subTest(action, partition="KEYS"):
                self.assertEqual({name for name in FUNCTIONS if may(name, f"dynamodb:{action}", "KEYS")}, {"ApiFunction"})
        for action in ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"):
            for partition in ("A#4K2N9QW7XJ0T", "TRY#account#0f"):
                with self.subTest(action, partition=partition):
                    able = {name for name in FUNCTIONS if may(name, f"dynamodb:{action}", partition)}
                    self.assertEqual(able, {"ApiFunction", "AuthFunction"})
            for partition in ("C#4K2N9QW7XJ0T", "L#4K2N9QW7XJ0T", "KEYS", "CFG#gateways", "U#ext#1", "IDEM#0f"):
                with self.subTest(action, partition=partition):
                    self.assertFalse(may("AuthFunction", f"dynamodb:{action}", partition))
        self.assertTrue(may("AuthFunction", "dynamodb:GetItem", "U#email#ana@example.com"))
        self.assertFalse(may("AuthFunction", "dynamodb:PutItem", "U#email#ana@example.com"))
        self.assertGreater(FUNCTIONS["AuthFunction"]["MemorySize"], DOCUMENT["Globals"]["Function"]["MemorySize"])

    def test_each_says_how_itself_fares_and_nothing_of_the_others(self) -> None:
        """A partition each: rights can't say of a sort key who may write there. See keys.rs."""
        self.assertIn('format!("SVC#{name}")', STORE_KEYS.read_text())
        for name, function in FUNCTIONS.items():
            own = function["FunctionName"].removeprefix("${AWS::StackName}-")
            self.assertIn(f'.watched("{own}", ', (ROOT / "functions" / own / "src" / "main.rs").read_text())
            for other in (each["FunctionName"].removeprefix("${AWS::StackName}-") for each in FUNCTIONS.values()):
                with self.subTest(name, other=other):
                    self.assertEqual(may(name, "dynamodb:UpdateItem", f"SVC#{other}"), own == other)
                    if own != other:
                        self.assertFalse(may(name, "dynamodb:PutItem", f"SVC#{other}"))
                        self.assertFalse(may(name, "dynamodb:DeleteItem", f"SVC#{other}"))
            self.assertTrue(may(name, "dynamodb:GetItem", f"SVC#{own}"), name)
        self.assertTrue(may("ApiFunction", "dynamodb:UpdateItem", "C#4K2N9QW7XJ0T"))

    def test_the_relay_seals_journals_and_writes_nothing_else(self) -> None:
        """A journal's link lies beside it; the end of a chain and the platform's sums lie apart: see keys/ledger.rs."""
        keys = LEDGER_KEYS.read_text()
        self.assertIn('CHAIN: &str = "K#"', keys)
        self.assertIn('BOOKS: &str = "BOOKS"', keys)
        for partition in ("K#4K2N9QW7XJ0T", "BOOKS"):
            self.assertTrue(may("EventRelayFunction", "dynamodb:PutItem", partition))
            self.assertTrue(may("EventRelayFunction", "dynamodb:UpdateItem", partition))
        self.assertTrue(may("EventRelayFunction", "dynamodb:PutItem", "L#4K2N9QW7XJ0T"))
        self.assertFalse(may("EventRelayFunction", "dynamodb:UpdateItem", "L#4K2N9QW7XJ0T"))
        for partition in ("C#4K2N9QW7XJ0T", "IDEM#0", "WH#sandbox#1", "KEYS"):
            self.assertFalse(may("EventRelayFunction", "dynamodb:PutItem", partition))

    def test_the_notifier_reaches_what_it_sends_and_nothing_else(self) -> None:
        keys = OUTGOING_KEYS.read_text()
        for prefix in ('ENDPOINTS: &str = "WE"', 'format!("MSG#{id}")', 'format!("WEL#{endpoint}")'):
            self.assertIn(prefix, keys)
        for partition in ("WE", "MSG#msg_1", "WEL#we_1"):
            with self.subTest(partition):
                for action in ("GetItem", "Query", "PutItem"):
                    self.assertTrue(may("NotifierFunction", f"dynamodb:{action}", partition))
                for action in ("UpdateItem", "DeleteItem"):
                    self.assertFalse(may("NotifierFunction", f"dynamodb:{action}", partition))
        self.assertTrue(may("NotifierFunction", "dynamodb:PutItem", "ATN#atn_we_1"))
        self.assertIn('format!("SAID#{}"', NOTICE_KEYS.read_text())
        self.assertTrue(may("NotifierFunction", "dynamodb:PutItem", "SAID#0f"))
        for action in ("GetItem", "Query"):
            self.assertTrue(may("NotifierFunction", f"dynamodb:{action}", "C#4K2N9QW7XJ0T"))
        for action in ("PutItem", "UpdateItem", "DeleteItem"):
            self.assertFalse(may("NotifierFunction", f"dynamodb:{action}", "C#4K2N9QW7XJ0T"))
        for action in ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"):
            for partition in ("A#4K2N9QW7XJ0T", "L#4K2N9QW7XJ0T", "KEYS", "CFG#gateways", "WH#sandbox#1", "IDEM#0f"):
                with self.subTest(action, partition=partition):
                    self.assertFalse(may("NotifierFunction", f"dynamodb:{action}", partition))

    def test_what_webhooks_are_signed_with_is_for_two_functions(self) -> None:
        for action in ("GetItem", "Query", "PutItem"):
            able = {name for name in FUNCTIONS if may(name, f"dynamodb:{action}", "WE")}
            self.assertEqual(able, {"ApiFunction", "NotifierFunction"}, action)

    def test_no_mail_is_sent_unless_somebody_says_from_whom(self) -> None:
        self.assertEqual(DOCUMENT["Parameters"]["NoticesFrom"]["Default"], "")
        able = {
            name
            for name, function in FUNCTIONS.items()
            for statement in function["Policies"][0]["Statement"]
            if {"ses:SendEmail", "sns:Publish"} & set(listed(statement["Action"]))
        }
        self.assertEqual(able, {"NotifierFunction"})

    def test_texts_go_to_phones_and_apps_and_to_no_topic(self) -> None:
        """A phone is no resource: it is what is left when everything of SNS is taken away."""
        [policy] = FUNCTIONS["NotifierFunction"]["Policies"]
        publishing = [s for s in policy["Statement"] if "sns:Publish" in listed(s["Action"])]
        [phones, apps] = publishing
        self.assertEqual((phones["Effect"], phones["NotResource"]), ("Allow", "arn:${AWS::Partition}:sns:*:*:*"))
        self.assertNotIn("Resource", phones)
        self.assertEqual(apps["Resource"], "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:endpoint/*")

    def test_webhooks_go_to_no_loopback_unless_somebody_says_so(self) -> None:
        parameter = DOCUMENT["Parameters"]["WebhooksAllowLoopback"]
        self.assertEqual((parameter["Default"], set(parameter["AllowedValues"])), ("false", {"true", "false"}))

    def test_rules_are_put_through_the_api_and_asked_by_those_who_charge(self) -> None:
        self.assertIn('"CFG#risk"', STORE_KEYS.read_text())
        self.assertIn('format!("{}#{}", platform.pk, merchant.code())', ORDER_KEYS.read_text())
        for partition in ("CFG#risk", "CFG#gateways", "CFG#dunning", "CFG#fees", "CFG#fees#4K2N9QW7XJ0T"):
            for action in ("PutItem", "UpdateItem", "DeleteItem"):
                with self.subTest(action, partition=partition):
                    able = {name for name in FUNCTIONS if may(name, f"dynamodb:{action}", partition)}
                    self.assertLessEqual(able, {"ApiFunction"})
        for name in ("ApiFunction", "ChargeConsumerFunction"):
            for action, partition in (("GetItem", "CFG#risk"), ("Query", "C#4K2N9QW7XJ0T"), ("Query", "L#4K2N9QW7XJ0T")):
                self.assertTrue(may(name, f"dynamodb:{action}", partition))
        self.assertTrue(may("ApiFunction", "dynamodb:PutItem", "CFG#risk"))
        # What a customer tried lies with the customer.
        self.assertTrue(may("ChargeConsumerFunction", "dynamodb:UpdateItem", "C#4K2N9QW7XJ0T"))

    def test_rates_are_written_by_those_who_ask_for_them_and_by_nobody_else(self) -> None:
        self.assertIn('const RATES: &str = "RATES";', STORE_KEYS.read_text())
        asking = {name for name in FUNCTIONS if RATES <= VARIABLES[name]}
        self.assertEqual(asking, {"ApiFunction", "ChargeConsumerFunction"})
        self.assertEqual({name for name in FUNCTIONS if may(name, "dynamodb:PutItem", "RATES")}, asking)
        for action in ("dynamodb:UpdateItem", "dynamodb:DeleteItem"):
            self.assertLessEqual({name for name in FUNCTIONS if may(name, action, "RATES")}, asking)
        for name in asking:
            with self.subTest(name):
                self.assertTrue(may(name, "dynamodb:GetItem", "RATES"))
                # The app id lies among the gateways' secrets.
                [policy] = FUNCTIONS[name]["Policies"]
                readable = [s["Resource"] for s in policy["Statement"] if s["Action"] == "secretsmanager:GetSecretValue"]
                self.assertIn("GatewaySecrets.Id", [secret for secrets in readable for secret in listed(secrets)])

    def test_the_sources_of_rates_are_those_that_there_are(self) -> None:
        parameter = DOCUMENT["Parameters"]["RatesSource"]
        known = set(re.findall(r'Self::\w+ => "(\w+)"', RATE_SOURCES.read_text()))
        self.assertEqual(set(parameter["AllowedValues"]), known | {"none"})
        # Needs no account.
        self.assertEqual(parameter["Default"], "european_central_bank")


class Discovery(unittest.TestCase):
    parameters = {each["Name"].removeprefix("/${AWS::StackName}/"): each for each in of_type("AWS::SSM::Parameter").values()}

    def test_every_function_is_published_by_the_name_that_it_reports_under(self) -> None:
        published = {name: each["Value"] for name, each in self.parameters.items() if name.startswith("functions/")}
        expected = {
            "functions/" + function["FunctionName"].removeprefix("${AWS::StackName}-"): name
            for name, function in FUNCTIONS.items()
        }
        self.assertEqual(published, expected)

    def test_every_endpoint_is_published_and_no_secret(self) -> None:
        endpoints = {name.removeprefix("endpoints/") for name in self.parameters if name.startswith("endpoints/")}
        self.assertEqual(
            endpoints, {"api-url", "token-keys-url", "charge-queue-url", "webhook-queue-url", "notifier-queue-url", "event-bus", "table"}
        )
        for name, parameter in self.parameters.items():
            with self.subTest(name):
                self.assertTrue(name.startswith(("functions/", "endpoints/")))
                self.assertEqual(parameter["Type"], "String")
                self.assertNotIn("Secret", parameter["Value"])

    def test_the_api_reads_what_is_published_under_the_prefix_and_nobody_else_does(self) -> None:
        self.assertEqual(FUNCTIONS["ApiFunction"]["Environment"]["Variables"]["DISCOVERY_PREFIX"], "/${AWS::StackName}")
        for name, function in FUNCTIONS.items():
            [policy] = function["Policies"]
            granted = [s for s in policy["Statement"] if any(action.startswith("ssm:") for action in listed(s["Action"]))]
            if name == "ApiFunction":
                [granted] = granted
                self.assertEqual(granted["Action"], "ssm:GetParametersByPath")
                prefix = ":parameter/${AWS::StackName}"
                self.assertTrue(all(each.partition(prefix)[2] in ("", "/*") for each in granted["Resource"]))
            else:
                self.assertFalse(granted, name)


class EventSources(unittest.TestCase):
    def test_every_mapping_is_here(self) -> None:
        pairs = {(source["FunctionName"], source["EventSourceArn"]) for source in SOURCES.values()}
        self.assertEqual(
            pairs,
            {
                ("ChargeConsumerFunction", "ChargeQueue.Arn"),
                ("WebhookConsumerFunction", "WebhookQueue.Arn"),
                ("EventRelayFunction", "Table.StreamArn"),
                ("NotifierFunction", "NotifierQueue.Arn"),
            },
        )

    def test_each_takes_partial_answers(self) -> None:
        for name, source in SOURCES.items():
            with self.subTest(name):
                self.assertEqual(source["FunctionResponseTypes"], ["ReportBatchItemFailures"])

    def test_queues_give_a_batch_six_times_its_timeout_and_five_deliveries(self) -> None:
        for name, source in SOURCES.items():
            queue = QUEUES.get(target(source["EventSourceArn"]))
            if queue is None:
                continue
            with self.subTest(name):
                timeout = FUNCTIONS[source["FunctionName"]]["Timeout"]
                self.assertGreaterEqual(queue["VisibilityTimeout"], 6 * timeout)
                self.assertEqual(queue["RedrivePolicy"]["maxReceiveCount"], 5)
                self.assertIn(target(queue["RedrivePolicy"]["deadLetterTargetArn"]), QUEUES)
                self.assertEqual(source["BatchSize"], 10)
                self.assertEqual(source["ScalingConfig"], {"MaximumConcurrency": 10})

    def test_the_stream_is_bounded_and_loses_nothing_silently(self) -> None:
        source = SOURCES["EventRelaySource"]
        self.assertEqual(source["StartingPosition"], "TRIM_HORIZON")
        self.assertIs(source["BisectBatchOnFunctionError"], True)
        self.assertIn(source["MaximumRetryAttempts"], range(1, 101))
        # The rest of the day is for whoever tells it again by hand.
        self.assertLessEqual(source["MaximumRecordAgeInSeconds"], 12 * 3600)
        self.assertIn(target(source["DestinationConfig"]["OnFailure"]["Destination"]), QUEUES)

    def test_the_stream_is_filtered_to_what_is_told(self) -> None:
        [filtered] = SOURCES["EventRelaySource"]["FilterCriteria"]["Filters"]
        keys = json.loads(filtered["Pattern"])["dynamodb"]["Keys"]
        self.assertEqual(keys, {"SK": {"S": [{"prefix": "INV#"}, {"prefix": "BILL#"}, {"prefix": "TXN#"}]}})

    def test_the_bus_hands_on_every_event_word_for_word(self) -> None:
        [rule] = of_type("AWS::Events::Rule").values()
        self.assertEqual((rule["EventBusName"], rule["EventPattern"]), ("EventBus", {"source": ["fatura"]}))
        [to] = rule["Targets"]
        self.assertEqual((target(to["Arn"]), to["InputPath"]), ("NotifierQueue", "$.detail"))
        self.assertEqual(target(to["DeadLetterConfig"]["Arn"]), "NotifierDeadLetters")
        [policy] = of_type("AWS::SQS::QueuePolicy").values()
        [statement] = policy["PolicyDocument"]["Statement"]
        self.assertEqual({target(arn) for arn in statement["Resource"]}, {"NotifierQueue", "NotifierDeadLetters"})
        self.assertEqual(statement["Principal"], {"Service": "events.amazonaws.com"})
        self.assertEqual(statement["Condition"], {"ArnEquals": {"aws:SourceArn": "NotifierRule.Arn"}})

    def test_the_sweep_runs_each_minute_and_failures_are_kept(self) -> None:
        schedule = RESOURCES["RetrySweepSchedule"]["Properties"]
        self.assertEqual(schedule["ScheduleExpression"], "rate(1 minute)")
        self.assertEqual(schedule["FlexibleTimeWindow"], {"Mode": "OFF"})
        self.assertEqual(target(schedule["Target"]["Arn"]), "RetrySweepFunction")
        self.assertIn(target(schedule["Target"]["DeadLetterConfig"]["Arn"]), QUEUES)
        self.assertLessEqual(schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"], 60)
        sweep = FUNCTIONS["RetrySweepFunction"]
        self.assertLess(sweep["Timeout"], 60)
        self.assertEqual(sweep["EventInvokeConfig"]["MaximumRetryAttempts"], 0)
        self.assertIn(target(sweep["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]), QUEUES)

    def test_months_and_days_are_asked_for_by_name_and_can_be_switched_off(self) -> None:
        expected = {
            "MonthlyBillingSchedule": ("cron(5 0 1-3 * ? *)", "monthly_billing", "MonthlyBilling"),
            "DailyReconciliationSchedule": ("cron(35 0 * * ? *)", "daily_reconciliation", "DailyReconciliation"),
        }
        for name, (expression, task, state) in expected.items():
            with self.subTest(name):
                schedule = RESOURCES[name]["Properties"]
                self.assertEqual(schedule["ScheduleExpression"], expression)
                self.assertEqual(schedule["ScheduleExpressionTimezone"], "UTC")
                self.assertEqual(schedule["State"], state)
                self.assertEqual(target(schedule["Target"]["Arn"]), "RetrySweepFunction")
                self.assertEqual(json.loads(schedule["Target"]["Input"]), {"task": task})
                self.assertIn(target(schedule["Target"]["DeadLetterConfig"]["Arn"]), QUEUES)


class Table(unittest.TestCase):
    table = RESOURCES["Table"]["Properties"]

    def test_it_outlives_mistakes(self) -> None:
        self.assertEqual(RESOURCES["Table"]["DeletionPolicy"], "Retain")
        self.assertEqual(RESOURCES["Table"]["UpdateReplacePolicy"], "Retain")
        self.assertIs(self.table["DeletionProtectionEnabled"], True)
        self.assertIs(self.table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], True)
        self.assertIs(self.table["SSESpecification"]["SSEEnabled"], True)

    def test_it_costs_nothing_while_nobody_uses_it(self) -> None:
        self.assertEqual(self.table["BillingMode"], "PAY_PER_REQUEST")

    def test_its_keys_stream_and_expiry_are_those_of_the_store(self) -> None:
        def keys(schema: list) -> list:
            return [(key["AttributeName"], key["KeyType"]) for key in schema]

        self.assertEqual(keys(self.table["KeySchema"]), [("PK", "HASH"), ("SK", "RANGE")])
        [index] = self.table["GlobalSecondaryIndexes"]
        self.assertIn(f'WORK_INDEX: &str = "{index["IndexName"]}"', STORE_KEYS.read_text())
        self.assertEqual(keys(index["KeySchema"]), [("WP", "HASH"), ("WS", "RANGE")])
        self.assertEqual(index["Projection"], {"ProjectionType": "KEYS_ONLY"})
        self.assertEqual(self.table["StreamSpecification"], {"StreamViewType": "NEW_AND_OLD_IMAGES"})
        self.assertEqual(self.table["TimeToLiveSpecification"], {"AttributeName": "ttl", "Enabled": True})


class Operations(unittest.TestCase):
    def test_every_dead_letter_queue_has_an_alarm(self) -> None:
        watched = {target(alarm["Dimensions"][0]["Value"]) for alarm in ALARMS.values() if alarm["Namespace"] == "AWS/SQS"}
        fed = {target(queue["RedrivePolicy"]["deadLetterTargetArn"]) for queue in QUEUES.values() if "RedrivePolicy" in queue}
        self.assertLessEqual(fed | {"SweepDeadLetters", "RelayFailures"}, watched)

    def test_failing_functions_and_a_failing_api_have_alarms(self) -> None:
        watched = {(alarm["MetricName"], alarm["Dimensions"][0]["Value"]) for alarm in ALARMS.values()}
        expected = {
            ("Errors", "RetrySweepFunction"),
            ("Invocations", "RetrySweepFunction"),
            ("Errors", "ChargeConsumerFunction"),
            ("5xx", "Api"),
        }
        self.assertLessEqual(expected, watched)

    def test_every_alarm_tells_somebody(self) -> None:
        self.assertFalse([name for name, alarm in ALARMS.items() if not alarm.get("AlarmActions")])

    def test_every_queue_and_log_is_encrypted_or_bounded(self) -> None:
        self.assertFalse([name for name, queue in QUEUES.items() if queue.get("SqsManagedSseEnabled") is not True])
        groups = of_type("AWS::Logs::LogGroup")
        self.assertFalse([name for name, group in groups.items() if "RetentionInDays" not in group])

    def test_the_api_is_throttled_and_its_log_holds_no_query(self) -> None:
        [stage] = of_type("AWS::ApiGatewayV2::Stage").values()
        self.assertIn("ThrottlingRateLimit", stage["DefaultRouteSettings"])
        self.assertIn("ThrottlingBurstLimit", stage["DefaultRouteSettings"])
        self.assert_signing_in_is_throttled_apart(stage)
        logged = json.loads(stage["AccessLogSettings"]["Format"])
        self.assertFalse([name for name, value in logged.items() if "query" in value.lower()])

    def assert_signing_in_is_throttled_apart(self, stage: dict) -> None:
        """Comparing a password is the dearest thing that anybody may ask for without credentials."""
        throttled = {"ANY /v1/auth": "SignInRoute", "ANY /v1/auth/refresh": "RefreshRoute"}
        self.assertEqual(set(stage["RouteSettings"]), set(throttled))
        for key, route in throttled.items():
            settings = stage["RouteSettings"][key]
            self.assertEqual(settings["ThrottlingRateLimit"], "SignInsPerSecond")
            self.assertEqual(settings["ThrottlingBurstLimit"], "SignInsPerSecond")
            # A deployment fails if the route comes after its settings.
            self.assertEqual(RESOURCES[route]["Properties"]["RouteKey"], key)
            self.assertIn(route, RESOURCES["ApiStage"]["DependsOn"])
        parameters = DOCUMENT["Parameters"]
        self.assertLess(parameters["SignInsPerSecond"]["Default"], parameters["RequestsPerSecond"]["Default"])

    def test_routes_lead_to_the_right_functions(self) -> None:
        integrations = of_type("AWS::ApiGatewayV2::Integration")
        routes = of_type("AWS::ApiGatewayV2::Route").values()
        led = {}
        for route in routes:
            integration = integrations[route["Target"].removeprefix("integrations/${").removesuffix("}")]
            self.assertEqual(integration["PayloadFormatVersion"], "2.0")
            led[route["RouteKey"]] = target(integration["IntegrationUri"])
        self.assertEqual(
            led,
            {
                "$default": "ApiFunction",
                "POST /webhooks/{gateway}": "WebhookIntakeFunction",
                "ANY /v1/auth": "AuthFunction",
                "ANY /v1/auth/refresh": "AuthFunction",
                "ANY /v1/auth/sign-out": "AuthFunction",
                "ANY /.well-known/jwks.json": "AuthFunction",
            },
        )


if __name__ == "__main__":
    unittest.main()
