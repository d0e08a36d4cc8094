/** The chat template of a scripted model, in the manner of Qwen and Hermes; its last token says which turn of the script it is. */
import type { Script, ScriptedTurn } from './script.js';

const HEAD = `{%- set ns = namespace(results=0, names='', said='') %}
{%- for tool in tools or [] %}{%- set ns.names = ns.names + ' ' + tool.function.name + ' ' %}{%- endfor %}
{%- if tools %}<|im_start|>system
{%- if messages[0]['role'] == 'system' %}
{{ messages[0]['content'] }}
{%- endif %}

# Functions at hand
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>

A call is written as:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{%- else %}{%- if messages[0]['role'] == 'system' %}<|im_start|>system
{{ messages[0]['content'] }}<|im_end|>
{%- endif %}{%- endif %}
{%- for message in messages %}
{%- if message.content is string %}{%- set ns.said = ns.said + message.content %}{%- endif %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{%- elif message.role == 'assistant' %}
<|im_start|>assistant
{%- if message.content %}
{{ message.content }}
{%- endif %}
{%- for tool_call in message.tool_calls or [] %}
{%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}
<tool_call>
{"name": "{{ tool_call.name }}", "arguments": {{ tool_call.arguments if tool_call.arguments is string else tool_call.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{%- elif message.role == 'tool' %}
{%- set ns.results = ns.results + 1 %}
<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{%- endif %}
{%- endfor %}
`;

export function chatTemplate({ turns, opensThoughts = false }: Script): string {
  const branches = turns.map((turn, index) => `{%- ${index === 0 ? 'if' : 'elif'} ${condition(turn.when)} %}<|turn${index}|>`);
  const choice = branches.length === 0 ? '' : `${branches.join('\n')}\n{%- endif %}`;
  return `${HEAD}{%- if add_generation_prompt %}\n<|im_start|>assistant\n${opensThoughts ? '<think>' : '{# #}'}\n${choice}\n{%- endif %}`;
}

function condition({ tool, says, results }: ScriptedTurn['when']): string {
  const parts = [
    ...(tool === undefined ? [] : [tool === '' ? 'not tools' : `${quoted(` ${tool} `)} in ns.names`]),
    ...(says === undefined ? [] : [`${quoted(says)} in ns.said`]),
    ...(results === undefined ? [] : [`ns.results == ${results}`]),
  ];
  return parts.length === 0 ? 'true' : parts.join(' and ');
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
