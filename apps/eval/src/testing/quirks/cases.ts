/** All cases by kind. */
import type { Case } from './case.js';
import { CAPS_AND_WINDOWS } from './caps-and-windows.js';
import { MONEY } from './money.js';
import { REPLIES } from './replies.js';
import { SCHEMAS } from './schemas.js';
import { TIME } from './time.js';
import { TOOLS_AND_FORMS } from './tools-and-forms.js';
import { TURNS } from './turns.js';
import { WAITING } from './waiting.js';

export const CASES: Case[] = [...TOOLS_AND_FORMS, ...REPLIES, ...TURNS, ...WAITING, ...CAPS_AND_WINDOWS, ...MONEY, ...SCHEMAS, ...TIME];
