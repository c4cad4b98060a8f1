/** What the agent's port answers to plain requests: whether it runs, whether it takes part, and its metrics. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AgentProgram } from "./agent-program.ts";

/** @param program undefined while it starts */
export async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  program: AgentProgram | undefined,
): Promise<void> {
  const { status, contentType, text } = await answerTo(request, program);
  response.writeHead(status, { "content-type": contentType });
  response.end(text);
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const plain = (status: number, text: string): Answer => ({ status, contentType: "text/plain", text: `${text}\n` });

async function answerTo({ method, url }: IncomingMessage, program: AgentProgram | undefined): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return plain(404, "this agent has nothing there");
  switch (url) {
    case "/healthz":
      return plain(200, "ok");
    case "/readyz":
      return program?.isReady === true
        ? plain(200, "ok")
        : plain(503, "the controller has not welcomed this agent yet");
    case "/metrics":
      return program === undefined
        ? plain(503, "this agent is starting")
        : { status: 200, ...(await program.metrics()) };
    default:
      return plain(404, "this agent has nothing there");
  }
}
