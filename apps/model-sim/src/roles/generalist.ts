/** The generalist: analyses data where some is there, and else does what can be done with texts. */
import type { AgentReply } from '@cadre/contracts';
import { isData } from '../analysis/files.js';
import type { Brief } from '../conversation.js';
import type { Script, ToolDesk } from '../script/script.js';
import { dataAnalyst } from './data-analyst.js';
import { textWork } from './text-work.js';

export function* generalist(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  const hasData = desk.has('profile_data') && brief.inputs.some((input) => isData(input.name));
  return yield* hasData ? dataAnalyst(brief, desk) : textWork(brief, desk);
}
