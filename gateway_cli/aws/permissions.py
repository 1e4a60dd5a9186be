"""Which IAM permission each of the commands' calls takes. AWS names API Gateway's by HTTP methods, not by operations."""

from __future__ import annotations

from collections.abc import Mapping

PERMISSIONS: Mapping[str, str] = {
    "BatchGetItem": "dynamodb:BatchGetItem on the gateway's table",
    "CreateApiKey": "apigateway:POST on /apikeys and apigateway:PUT on /tags/*",
    "CreateUsagePlanKey": "apigateway:POST on /usageplans/*/keys",
    "DeleteApiKey": "apigateway:DELETE on /apikeys/*",
    "DescribeTable": "dynamodb:DescribeTable on the gateway's table",
    "GetApiKeys": "apigateway:GET on /apikeys",
    "GetResources": "tag:GetResources on *",
    "GetRestApis": "apigateway:GET on /restapis",
    "GetUsage": "apigateway:GET on /usageplans/*/usage",
    "GetUsagePlanKeys": "apigateway:GET on /usageplans/*/keys",
    "GetUsagePlans": "apigateway:GET on /usageplans",
    "ListStackResources": "cloudformation:ListStackResources on the stack",
    "ListTagsOfResource": "dynamodb:ListTagsOfResource on the gateway's table",
    "Query": "dynamodb:Query on the gateway's table",
    "UpdateApiKey": "apigateway:PATCH on /apikeys/*",
    "UpdateItem": "dynamodb:UpdateItem on the gateway's table",
}
"""By boto3's name of the operation. docs/operations.md lists the same for people."""
