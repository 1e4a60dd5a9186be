"""The documented configurations that are about the upstreams' credentials: imported secrets, rotations, no keys at all."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from gateway_construct import AiGateway, AnthropicFederation, OpenAiFederation, Rotation, Upstream


def own_secrets(stack: Stack) -> AiGateway:
    """Secrets that exist already: imported by ARN, by name, and encrypted with another key."""
    return AiGateway(
        stack,
        "Gateway",
        upstreams=[
            Upstream.openai(
                secret=secretsmanager.Secret.from_secret_complete_arn(
                    stack,
                    "OpenAi",
                    "arn:aws:secretsmanager:eu-central-1:111122223333:secret:openai-AbCdEf",
                ),
            ),
            Upstream.anthropic(
                secret=secretsmanager.Secret.from_secret_name_v2(stack, "Anthropic", "anthropic"),
                secret_field="key",
            ),
            Upstream.gemini(
                secret=secretsmanager.Secret.from_secret_attributes(
                    stack,
                    "Gemini",
                    secret_complete_arn="arn:aws:secretsmanager:eu-central-1:111122223333:secret:gemini-GhIjKl",
                    encryption_key=kms.Key.from_key_arn(
                        stack,
                        "GeminiKey",
                        "arn:aws:kms:eu-central-1:111122223333:key/11112222-3333-4444-5555-666677778888",
                    ),
                ),
            ),
        ],
    )


def rotation(stack: Stack) -> AiGateway:
    """Keys that are replaced by schedule: staged ones, of the gateway's own secret and of imported ones, and minted ones."""
    imported = secretsmanager.Secret.from_secret_attributes(
        stack,
        "Anthropic",
        secret_complete_arn="arn:aws:secretsmanager:eu-central-1:111122223333:secret:anthropic-AbCdEf",
        encryption_key=kms.Key.from_key_arn(
            stack,
            "AnthropicKey",
            "arn:aws:kms:eu-central-1:111122223333:key/11112222-3333-4444-5555-666677778888",
        ),
    )
    return AiGateway(
        stack,
        "Gateway",
        upstreams=[
            Upstream.holysheep(rotation=Rotation.staged()),
            Upstream.openai(
                rotation=Rotation.openai_admin(
                    project="proj_abc123",
                    admin_secret=secretsmanager.Secret.from_secret_name_v2(stack, "OpenAiAdmin", "openai-admin"),
                    every=Duration.days(7),
                ),
            ),
            Upstream.anthropic(secret=imported, rotation=Rotation.staged(every=Duration.hours(90), notice=Duration.days(2))),
            Upstream.deepseek(
                secret=secretsmanager.Secret.from_secret_name_v2(stack, "DeepSeek", "deepseek"), rotation=Rotation.staged()
            ),
            Upstream.gemini(),
        ],
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
    )


def federated(stack: Stack) -> AiGateway:
    """No key of OpenAI and Anthropic is stored: the function exchanges its AWS identity for short-lived tokens."""
    return AiGateway(
        stack,
        "Gateway",
        upstreams=[
            Upstream.openai(federation=OpenAiFederation(identity_provider_id="idp_abc123", service_account_id="sa-abc123")),
            Upstream.anthropic(
                federation=AnthropicFederation(
                    federation_rule_id="fdrl_abc123",
                    organization_id="11112222-3333-4444-5555-666677778888",
                    service_account_id="svac_abc123",
                ),
            ),
            Upstream.holysheep(),
        ],
    )
