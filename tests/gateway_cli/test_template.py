from typing import Any

from gateway_cli.local.template import logical_id, of_types, references, without

RESOURCES: dict[str, Any] = {
    "Api": {"Type": "AWS::ApiGateway::RestApi"},
    "Acl": {"Type": "AWS::WAFv2::WebACL"},
    "Association": {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {"Acl": {"Fn::GetAtt": ["Acl", "Arn"]}}},
    "Named": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Fn::Sub": "x-${Association}"}}, "DependsOn": "Api"},
    "Later": {"Type": "AWS::SSM::Parameter", "DependsOn": ["Association", "Api"]},
    "Latest": {"Type": "AWS::SSM::Parameter", "DependsOn": "Association"},
}


def test_references_of_every_kind() -> None:
    value = {
        "a": [{"Ref": "A"}, {"Fn::GetAtt": ["B", "Arn"]}, {"Fn::GetAtt": "C.Arn"}],
        "b": {"Fn::Sub": "${D}-${E.Arn}-${!F}"},
        "c": {"Fn::Sub": ["${G}", {"G": {"Ref": "H"}}]},
    }
    assert list(references(value)) == ["A", "B", "C", "D", "E", "G", "H"]


def test_the_first_reference_of_a_type() -> None:
    uri = {"Fn::Join": ["", [{"Ref": "AWS::Region"}, {"Ref": "Acl"}, {"Ref": "Api"}]]}
    assert logical_id(uri, RESOURCES, "AWS::ApiGateway::RestApi") == "Api"
    assert logical_id(uri, RESOURCES, "AWS::Lambda::Alias") is None


def test_resources_are_left_out_with_all_that_names_them() -> None:
    outputs = {"Kept": {"Value": {"Ref": "Api"}}, "Gone": {"Value": {"Ref": "Named"}}}
    template = {"Resources": RESOURCES, "Outputs": outputs}
    smaller, gone = without(template, of_types(template, {"AWS::WAFv2::WebACLAssociation"}))
    assert gone == {"Association": "AWS::WAFv2::WebACLAssociation", "Named": "AWS::SSM::Parameter"}
    assert set(smaller["Resources"]) == {"Api", "Acl", "Later", "Latest"}
    assert smaller["Resources"]["Later"]["DependsOn"] == ["Api"]
    assert "DependsOn" not in smaller["Resources"]["Latest"]
    assert set(smaller["Outputs"]) == {"Kept"}
    assert "Association" in RESOURCES, "the original stays as it is"
