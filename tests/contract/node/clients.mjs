// What an application does with the official Node SDKs: base URL and key from the environment, results as one JSON object.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const { OPENAI_BASE_URL, ANTHROPIC_BASE_URL, GATEWAY_KEY } = process.env;
const messages = [{ role: "user", content: "say something" }];
const results = {};

const openai = new OpenAI({ baseURL: OPENAI_BASE_URL, apiKey: GATEWAY_KEY, maxRetries: 0 });
results.chat = (await openai.chat.completions.create({ model: "gpt-4", messages })).model;
results.chatStream = 0;
for await (const chunk of await openai.chat.completions.create({ model: "gpt-4", messages, stream: true })) {
  results.chatStream += chunk.choices.length;
}
results.models = (await openai.models.list()).data.length;
results.embedding = (await openai.embeddings.create({ model: "text-embedding-3-small", input: "x" })).data[0].embedding.length;
results.refused = await new OpenAI({ baseURL: OPENAI_BASE_URL, apiKey: "x".repeat(40), maxRetries: 0 }).models.list().catch(
  (error) => `${error.constructor.name} ${error.code}`,
);

const anthropic = new Anthropic({ baseURL: ANTHROPIC_BASE_URL, apiKey: GATEWAY_KEY, maxRetries: 0 });
const asked = { model: "claude-sonnet-stand-in", max_tokens: 64, messages };
results.message = (await anthropic.messages.create(asked)).content[0].type;
results.messageStream = (await anthropic.messages.stream(asked).finalMessage()).stop_reason;

console.log(JSON.stringify(results));
