/** Tools of MCP servers, for agents. */
export { McpTools } from './mcp-tools.js';
export type { McpLog, McpParts, McpServerState } from './mcp-tools.js';
export { McpServer, readMcpServers } from './server-file.js';
export type { McpSetting } from './server-file.js';
export { lookAtServer, serverNamed } from './look-at-server.js';
export type { SeenServer, SeenTool } from './look-at-server.js';
export type { KeepFile } from './tool-answer.js';
export { hashOf, readPins, whyNotPinned, withPin, writePins } from './tool-pin.js';
export type { Pins, ToldTool, ToolPin } from './tool-pin.js';
