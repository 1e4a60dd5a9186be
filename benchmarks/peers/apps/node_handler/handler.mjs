// A handler of the kind that articles show: the key is fetched for each call, and the upstream's answer is collected whole.
import http from "node:http";
import https from "node:https";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const secrets = new SecretsManagerClient({});
const BASE_URL = process.env.UPSTREAM_BASE_URL;

export const handler = async (event) => {
  const secret = await secrets.send(new GetSecretValueCommand({ SecretId: process.env.SECRET_NAME }));
  const { apiKey } = JSON.parse(secret.SecretString ?? "{}");
  const request = JSON.parse(event.body ?? "{}");
  const answer = await post(`${BASE_URL}/chat/completions`, apiKey, JSON.stringify(request));
  return {
    statusCode: answer.status,
    headers: {
      "Content-Type": request.stream === true ? "text/event-stream" : "application/json",
      "Access-Control-Allow-Origin": "*",
    },
    body: answer.body,
    isBase64Encoded: false,
  };
};

function post(url, apiKey, body) {
  const client = url.startsWith("https:") ? https : http;
  const options = { method: "POST", headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" } };
  return new Promise((resolve, reject) => {
    const sent = client.request(url, options, (received) => {
      const chunks = [];
      received.on("data", (chunk) => chunks.push(chunk));
      received.on("end", () => resolve({ status: received.statusCode, body: Buffer.concat(chunks).toString() }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
