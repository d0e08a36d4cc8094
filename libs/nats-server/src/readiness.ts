/** Asks a server, in NATS's own plain text protocol, whether JetStream answers. No client library is needed for this. */
import { connect } from 'node:net';

/**
 * @returns true when the server accepts a connection and JetStream answers; false when not (yet)
 */
export function jetStreamAnswers(host: string, port: number, timeoutMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let received = '';
    const finish = (answer: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('connect', () => {
      socket.write('CONNECT {"verbose":false,"pedantic":false,"protocol":1,"headers":true,"no_responders":true}\r\n');
      socket.write('SUB _INBOX.ready 1\r\nPUB $JS.API.INFO _INBOX.ready 0\r\n\r\n');
    });
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (received.includes('account_info_response')) finish(!received.includes('"error"'));
      else if (received.includes('NATS/1.0 503') || received.includes('-ERR')) finish(false);
    });
  });
}
