/** A model server for specs: speaks the OpenAI wire format and says what it is told to. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChatReply {
  text?: string;
  calls?: { name: string; args: unknown }[];
}
export interface ChatRequest {
  messages: { role: string; content: string }[];
}

export class ChatServer {
  /** Each call uses 100 tokens of input and 10 of output. */
  chat: (request: ChatRequest) => ChatReply | Promise<ChatReply> = () => ({ text: '{"answer":"Done.","confidence":0.7}' });

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ChatServer> {
    const server = createServer();
    const chatServer = new ChatServer(server);
    server.on('request', async (request, response) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const reply = await chatServer.chat(JSON.parse(text) as ChatRequest);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(completion(reply)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return chatServer;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function completion({ text, calls }: ChatReply): object {
  const tool_calls = calls?.map(({ name, args }, position) => ({
    id: `c${position}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }));
  return {
    model: 'cadre-sim-1',
    choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: text ?? null, ...(tool_calls && { tool_calls }) } }],
    usage: { prompt_tokens: 100, completion_tokens: 10 },
  };
}
