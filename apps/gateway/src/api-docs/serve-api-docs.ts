/** `/openapi.json`, and `/docs`: a page for it whose parts all come from this service. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import type { GatewayConfig } from '../gateway.config.js';
import { openApiDocument } from './document.js';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cadre: HTTP interface</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true, validatorUrl: null });\n`;
const POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'";

const ASSETS: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

export function serveApiDocs(app: NestFastifyApplication, config: GatewayConfig): void {
  const http = app.getHttpAdapter().getInstance();
  // Made when it is first asked for: it takes a moment, and most gateways are never asked.
  let document: string | undefined;
  const limits = { fileBytes: config.UPLOAD_MAX_BYTES, files: config.UPLOAD_MAX_FILES };
  http.get('/openapi.json', (_request, reply: FastifyReply) => {
    document ??= JSON.stringify(openApiDocument(app, limits));
    return reply.header('content-type', 'application/json; charset=utf-8').send(document);
  });
  const send = (reply: FastifyReply, type: string, body: string | Buffer) =>
    reply.header('content-type', type).header('content-security-policy', POLICY).header('x-content-type-options', 'nosniff').send(body);
  http.get('/', (_request, reply: FastifyReply) => reply.redirect('/docs'));
  http.get('/docs', (_request, reply: FastifyReply) => send(reply, 'text/html; charset=utf-8', PAGE));
  http.get('/docs/start.js', (_request, reply: FastifyReply) => send(reply, 'text/javascript; charset=utf-8', START));
  for (const [name, type] of Object.entries(ASSETS)) {
    http.get(`/docs/${name}`, async (_request, reply: FastifyReply) => send(reply, type, await readFile(join(assetFolder(), name))));
  }
}

/** The page's parts come with @nestjs/swagger. */
function assetFolder(): string {
  const swagger = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger/package.json'));
  return dirname(swagger.resolve('swagger-ui-dist/package.json'));
}
