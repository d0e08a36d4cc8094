/** Asks a server, in NATS's own plain text protocol, so that no client library is needed. */
import { connect } from 'node:net';

/**
 * One request and its first answer, over a connection of its own.
 * @returns the answer's body, or undefined when there is none in time, nobody serves the subject, or the server is not there
 */
export function askServer(host: string, port: number, subject: string, { timeoutMs = 1000, body = '' } = {}): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let received = '';
    const finish = (answer: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    socket.setEncoding('latin1'); // sizes are in bytes
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    socket.on('connect', () => {
      socket.write('CONNECT {"verbose":false,"pedantic":false,"protocol":1,"headers":true,"no_responders":true}\r\n');
      socket.write(`SUB _INBOX.ask 1\r\nPUB ${subject} _INBOX.ask ${Buffer.byteLength(body)}\r\n${body}\r\n`);
    });
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (/^(-ERR|HMSG _INBOX\.ask)/m.test(received)) return finish(undefined);
      const head = /^MSG _INBOX\.ask 1 (\d+)\r\n/m.exec(received);
      if (head === null) return;
      const body = received.slice(head.index + head[0].length);
      const size = Number(head[1]);
      if (body.length >= size) finish(Buffer.from(body.slice(0, size), 'latin1').toString());
    });
  });
}

/** @returns true when the server accepts a connection and JetStream answers (in a cluster: its leader is elected); false when not (yet) */
export async function jetStreamAnswers(host: string, port: number, timeoutMs = 1000): Promise<boolean> {
  const answer = await askServer(host, port, '$JS.API.INFO', { timeoutMs });
  return answer !== undefined && answer.includes('account_info_response') && !answer.includes('"error"');
}
