"""The rules of a gateway's web ACL. Apart from its options, so that AWS WAF's module is loaded only where there is one."""

from __future__ import annotations

from aws_cdk import Names
from aws_cdk.aws_wafv2 import CfnWebACL, CfnWebACLAssociation
from constructs import Construct

from gateway_construct.web_acl import WebAcl

# Rules that look into bodies. Prompts are long, and full of code, markup, paths and addresses, which these take for attacks.
# They count instead of block, so that what they would do stays visible.
_COUNTED_RULES = {
    "AWSManagedRulesCommonRuleSet": (
        "SizeRestrictions_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "CrossSiteScripting_BODY",
    ),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        "JavaDeserializationRCE_BODY",
        "Log4JRCE_BODY",
        "ReactJSRCE_BODY",
    ),
}


def attach_web_acl(scope: Construct, construct_id: str, *, web_acl: WebAcl, stage_arn: str) -> CfnWebACL:
    """Create the web ACL and put it before the stage."""
    owner = Construct(scope, construct_id)
    metric = Names.unique_resource_name(owner, max_length=100)
    acl = CfnWebACL(
        owner,
        "Acl",
        scope="REGIONAL",
        default_action=CfnWebACL.DefaultActionProperty(allow=CfnWebACL.AllowActionProperty()),
        description="AI gateway",
        visibility_config=_visibility(metric),
        rules=[
            _rate_rule(web_acl, metric, priority=0),
            *(_managed_rules(group, metric, priority=priority) for priority, group in enumerate(_COUNTED_RULES, start=1)),
        ],
    )
    CfnWebACLAssociation(owner, "Association", resource_arn=stage_arn, web_acl_arn=acl.attr_arn)
    return acl


def _rate_rule(web_acl: WebAcl, metric: str, *, priority: int) -> CfnWebACL.RuleProperty:
    return CfnWebACL.RuleProperty(
        name="RequestsPerAddress",
        priority=priority,
        action=CfnWebACL.RuleActionProperty(block=CfnWebACL.BlockActionProperty()),
        statement=CfnWebACL.StatementProperty(
            rate_based_statement=CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP",
                evaluation_window_sec=300,
                limit=web_acl.rate_limit_per_5_minutes,
            ),
        ),
        visibility_config=_visibility(f"{metric}RequestsPerAddress"),
    )


def _managed_rules(group: str, metric: str, *, priority: int) -> CfnWebACL.RuleProperty:
    return CfnWebACL.RuleProperty(
        name=group,
        priority=priority,
        override_action=CfnWebACL.OverrideActionProperty(none={}),
        statement=CfnWebACL.StatementProperty(
            managed_rule_group_statement=CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=group,
                rule_action_overrides=[
                    CfnWebACL.RuleActionOverrideProperty(
                        name=rule,
                        action_to_use=CfnWebACL.RuleActionProperty(count=CfnWebACL.CountActionProperty()),
                    )
                    for rule in _COUNTED_RULES[group]
                ],
            ),
        ),
        visibility_config=_visibility(metric + group.removeprefix("AWSManagedRules")),
    )


def _visibility(metric: str) -> CfnWebACL.VisibilityConfigProperty:
    return CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True,
        metric_name=metric,
        sampled_requests_enabled=False,
    )
