from gateway_cli.local.deployment import CUSTOM_SECONDS, limit_custom_resources


def test_no_custom_resource_may_take_an_hour() -> None:
    resources = {
        "Named": {"Type": "Custom::Mine", "Properties": {"ServiceToken": "t", "ServiceTimeout": "3600"}},
        "Plain": {"Type": "AWS::CloudFormation::CustomResource"},
        "Other": {"Type": "AWS::SQS::Queue"},
    }
    limit_custom_resources({"Resources": resources})
    limit = str(CUSTOM_SECONDS)
    assert resources["Named"]["Properties"] == {"ServiceToken": "t", "ServiceTimeout": limit}
    assert resources["Plain"] == {"Type": "AWS::CloudFormation::CustomResource", "Properties": {"ServiceTimeout": limit}}
    assert resources["Other"] == {"Type": "AWS::SQS::Queue"}
